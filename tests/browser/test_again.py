"""A job replayed, and a segment made again, by somebody in front of a browser."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Take
from tests.browser.test_pictures import TEXT, check
from tests.portal import Portal

MADE_ELSEWHERE = """
from synthesis.models import Job
job = Job.objects.get(pk={job!r})
for segment in job.recipe["segments"][1:]:
    segment["sha256"] = "0" * 64
old = {{"version": "1f0c77ab93de4410", "device": "cuda:0 (NVIDIA A10)"}}
job.recipe["engine"] |= old
job.fingerprint |= old
job.save(update_fields=["recipe", "fingerprint"])
"""


def finished(portal: Portal, api: httpx.Client, made: httpx.Response) -> str:
    """The id of a job that was just asked for, once it has completed."""
    job: str = made.raise_for_status().json()["id"]
    portal.wait_until(lambda: api.get(f"/api/v1/jobs/{job}").json()["status"] == "completed", 60)
    return job


@pytest.fixture(scope="module")
def kin(portal: Portal) -> dict[str, dict[str, str]]:
    """In each language: a job with three versions, a replay that is identical and one that is not."""
    made: dict[str, dict[str, str]] = {}
    with portal.client() as api:

        def post(path: str, **body: Any) -> str:
            return finished(portal, api, api.post(f"/api/v1/jobs{path}", json=body))

        for language, text in TEXT.items():
            first = post("", text=text, seed=1986)
            second = post(f"/{first}/segments/1/redo")
            third = post(f"/{second}/segments/0/redo", speed=1.2)
            same = post(f"/{first}/replay")
            other = post("", text=text, seed=1986)
            portal.manage("shell", "-c", MADE_ELSEWHERE.format(job=other))
            made[language] = {"versions": third, "identical": same, "differs": post(f"/{other}/replay")}
    return made


@pytest.fixture(scope="module")
def job(kin: dict[str, dict[str, str]], portal: Portal) -> str:
    """A completed job without kin."""
    with portal.client() as api:
        return finished(portal, api, api.post("/api/v1/jobs", json={"text": TEXT["en"], "seed": 11}))


def settle(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")


def test_a_replay_gets_its_verdict_while_one_watches(open_page: OpenPage, job: str) -> None:
    page = open_page()
    settle(page, f"/jobs/{job}/")
    page.click("#replay")
    page.wait_for_url(lambda url: job not in url)
    expect(page.locator("#verdict")).to_contain_text("Identical to the sample")
    expect(page.locator("#log-lines")).to_contain_text(f"Compared with job {job}: Identical to the sample")
    page.click("#verdict a")
    page.wait_for_url(f"**/jobs/{job}/")
    expect(page.locator("#recipe .replays")).to_contain_text("Identical to the sample")


def test_a_segment_is_made_again_with_the_keyboard_alone(open_page: OpenPage, job: str) -> None:
    page = open_page()
    settle(page, f"/jobs/{job}/")
    button = page.locator("[data-redo='1']")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#redo-title")).to_have_text("Make segment 2 again")
    text = page.locator("#redo-text")
    assert text.input_value() == page.locator("[data-text='1']").inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#redo-dialog")).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    text.fill("…")
    page.locator("#redo-seed").press("Enter")
    expect(page.locator("#redo-form [data-problem=text]")).to_be_visible()
    text.fill("Now it says something else.")
    page.locator("#redo-seed").press("Enter")
    page.wait_for_url(lambda url: job not in url)
    expect(page.locator(".versions [aria-current]")).to_have_text(re.compile(r"^v2 · newest$"))
    expect(page.locator(".job-head [data-badge]")).to_have_attribute("data-status", "completed")
    expect(page.locator("[data-text='1']")).to_have_text("Now it says something else.")
    page.click(".versions a >> nth=0")
    page.wait_for_url(f"**/jobs/{job}/")
    expect(page.locator("#outputs a[href$='.wav?download']")).to_be_visible()
    page.goto("/jobs/")
    expect(page.locator("#history .tag").first).to_have_text("v2")


def test_pictures(
    open_page: OpenPage, take: Take, kin: dict[str, dict[str, str]], language: str, theme: str, phone: bool
) -> None:
    page = open_page(language=language, theme=theme, phone=phone)
    kind = f"{language}-{theme}-{'phone' if phone else 'desktop'}"
    for name, job in kin[language].items():
        settle(page, f"/jobs/{job}/")
        check(page, language)
        take(page, f"job-{name}-{kind}")
    page.locator("[data-redo='1']").scroll_into_view_if_needed()
    page.click("[data-redo='1']")
    expect(page.locator("#redo-dialog")).to_be_visible()
    check(page, language)
    take(page, f"job-redo-{kind}")
