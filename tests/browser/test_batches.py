"""Several texts at once: the dialog, the page of a batch, and a paused queue; with pictures."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Take
from tests.portal import Portal

TABLE = """text,voice,speed,note
"Good morning, everybody: the train to the north leaves in ten minutes.",,,first
"欢迎各位旅客，开往北京的列车将在十分钟后发车。",,1.1,second
This row asks for a speed that no engine has.,,9,third
And this one for a voice that is not there.,Nobody,,fourth
Please mind the gap between the train and the platform.,,0.9,fifth
"""
GOOD = "\n".join(line for line in TABLE.splitlines() if ",9," not in line and "Nobody" not in line)
SAID = {"en": "The queue is paused by admin.", "zh": "队列已由 admin 暂停。"}
AHEAD = {"en": "2 jobs ahead", "zh": "前面还有 2 个任务"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("texts")
    for name, content in {"announcements.csv": TABLE, "good.csv": GOOD}.items():
        (folder / name).write_text(content)
    return {path.stem: path for path in folder.iterdir()}


def check(page: Page) -> None:
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0, f"{page.url} is {too_wide} px wider than its window"


def open_dialog(page: Page) -> None:
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")  # the scripts are there
    page.click("[data-open=batch-dialog]")
    expect(page.locator("#batch-dialog")).to_be_visible()


def test_a_file_is_looked_at_made_watched_and_taken_home(
    open_page: OpenPage, files: dict[str, Path], tmp_path: Path
) -> None:
    page = open_page()
    open_dialog(page)
    page.set_input_files("#batch-file", files["announcements"])
    expect(page.locator(".batch-row")).to_have_count(5)
    expect(page.locator(".batch-row .problem")).to_have_count(2)
    expect(page.locator("#batch-summary")).to_contain_text("5 jobs")
    expect(page.locator("#batch-summary")).to_contain_text("2 problems")
    expect(page.locator("#batch-submit")).to_be_disabled()
    page.set_input_files("#batch-file", files["good"])
    expect(page.locator("#batch-submit")).to_have_text("Make 3 jobs")
    page.click("#batch-submit")
    page.wait_for_url("**/batches/*/")
    expect(page.locator("#history tbody tr")).to_have_count(3)
    expect(page.locator("#batch-percent")).to_have_text("100 %")
    expect(page.locator("#history tr[data-status=completed]")).to_have_count(3)
    with page.expect_download() as download:
        page.click("#batch-download")
    path = tmp_path / "batch.zip"
    download.value.save_as(path)
    names = zipfile.ZipFile(path).namelist()
    assert [name[:4] for name in names] == ["001-", "002-", "003-"]


def test_pasted_lines_make_a_job_each_and_are_cancelled_together(open_page: OpenPage, portal: Portal) -> None:
    with portal.client() as api:
        api.post("/api/v1/system/queue", json={"paused": True}).raise_for_status()
        try:
            page = open_page()
            open_dialog(page)
            page.fill("#batch-lines", "One.\n\nTwo.\nThree.\nFour.")
            expect(page.locator("#batch-submit")).to_have_text("Make 4 jobs")
            page.click("#batch-submit")
            page.wait_for_url("**/batches/*/")
            expect(page.locator("#history tbody")).to_contain_text("3 jobs ahead")
            expect(page.locator("#batch-download")).to_be_hidden()
            page.on("dialog", lambda dialog: dialog.accept())
            page.click("[data-command=cancel]")
            expect(page.locator("#history tr[data-status=cancelled]")).to_have_count(4)
            expect(page.locator("#batch-percent")).to_have_text("100 %")
        finally:
            api.post("/api/v1/system/queue", json={"paused": False}).raise_for_status()


def test_a_paused_queue_is_said_and_resumed_on_the_page(open_page: OpenPage, portal: Portal) -> None:
    page = open_page()
    page.goto("/system/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    page.click("#queue-switch")
    expect(page.locator("#queue-pause")).to_contain_text(SAID["en"])
    expect(page.locator("#queue-switch")).to_have_text("Resume the queue")
    with portal.client() as api:
        job = api.post("/api/v1/jobs", json={"text": "Hello."}).json()["id"]
        other = open_page()
        other.goto(f"/jobs/{job}/")
        expect(other.locator("#queue-pause")).to_be_visible()
        page.click("#queue-switch")
        expect(page.locator("#queue-pause")).to_be_hidden()
        expect(other.locator("#queue-pause")).to_be_hidden()
        expect(other.locator(".job-head [data-badge]")).to_have_attribute("data-status", "completed")


@pytest.fixture(scope="module")
def batch(portal: Portal) -> dict[str, str]:
    """Three jobs, the last of which has two before it once the queue is paused."""
    with portal.client() as api:
        done = api.post("/api/v1/batches", files={"file": ("announcements.csv", GOOD)}).json()
        for job in done["jobs"]:
            portal.wait_until(lambda job=job: api.get(f"/api/v1/jobs/{job['id']}").json()["status"] == "completed", 60)
    return {"done": done["batch"]}


def test_pictures_of_batches(
    open_page: OpenPage,
    take: Take,
    portal: Portal,
    files: dict[str, Path],
    batch: dict[str, str],
    language: str,
    theme: str,
    phone: bool,
) -> None:
    page = open_page(language=language, theme=theme, phone=phone)
    kind = f"{language}-{theme}-{'phone' if phone else 'desktop'}"
    page.fill("#text", "")
    open_dialog(page)
    page.set_input_files("#batch-file", files["announcements"])
    expect(page.locator(".batch-row")).to_have_count(5)
    check(page)
    take(page, f"batch-dialog-{kind}")
    page.goto(f"/batches/{batch['done']}/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    check(page)
    take(page, f"batch-done-{kind}")
    with portal.client() as api:
        api.post("/api/v1/system/queue", json={"paused": True}).raise_for_status()
        try:
            made = api.post("/api/v1/batches", files={"file": ("announcements.csv", GOOD)}).json()
            pictures_of_a_paused_queue(page, take, made, language, kind)
            api.post(f"/api/v1/batches/{made['batch']}/control", json={"command": "cancel"}).raise_for_status()
        finally:
            api.post("/api/v1/system/queue", json={"paused": False}).raise_for_status()


def pictures_of_a_paused_queue(page: Page, take: Take, made: dict[str, object], language: str, kind: str) -> None:
    jobs = made["jobs"]
    assert isinstance(jobs, list)
    places = {
        "batch": f"/batches/{made['batch']}/",
        "studio": "/",
        "system": "/system/",
        "history": "/jobs/",
        "job": f"/jobs/{jobs[2]['id']}/",
    }
    for name, path in places.items():
        page.goto(path)
        expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
        expect(page.locator("#queue-pause")).to_contain_text(SAID[language])
        if name != "system":
            expect(page.locator("main")).to_contain_text(re.compile(re.escape(AHEAD[language])))
        check(page)
        take(page, f"paused-{name}-{kind}")
