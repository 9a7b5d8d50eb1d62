"""Pictures of every page in both languages, both themes, on a desk and on a phone.

They go into the documents, and somebody looks at them. What a machine can see is asserted: nothing is
wider than the window, and no text is left in the other language.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Take
from tests.portal import Portal

TEXT = {
    "en": "A quiet instrument, not a dashboard: the text and the voice are the content. "
    "What is alive is the only thing that moves. Dr. Smith paid $3.50 for 2 tickets at 10:30.",
    "zh": "安静的工具，而不是仪表盘：文字与声音才是内容。只有正在发生的事情才会动。"
    "今天上午10:30，我们用 CosyVoice 合成了第3段语音，效果比想象的还要好。",
}
PATHS = {"studio": "/", "history": "/jobs/", "voices": "/voices/", "system": "/system/", "account": "/account/"}


@pytest.fixture(scope="module")
def jobs(portal: Portal) -> dict[str, str]:
    """A finished job in each language."""
    made = {}
    with portal.client() as api:
        for language, text in TEXT.items():
            job = api.post("/api/v1/jobs", json={"text": text, "seed": 1986, "instruct": "gently"}).json()["id"]
            portal.wait_until(lambda job=job: api.get(f"/api/v1/jobs/{job}").json()["status"] == "completed", 60)
            made[language] = job
    return made


def check(page: Page, language: str) -> None:
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0, f"{page.url} is {too_wide} px wider than its window"
    assert page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-hans"}[language]
    assert bool(re.search(r"[\u4e00-\u9fff]", page.title())) == (language == "zh")


def test_pictures(
    open_page: OpenPage, take: Take, jobs: dict[str, str], language: str, theme: str, phone: bool
) -> None:
    page = open_page(language=language, theme=theme, phone=phone)
    kind = f"{language}-{theme}-{'phone' if phone else 'desktop'}"
    for name, path in {**PATHS, "job": f"/jobs/{jobs[language]}/"}.items():
        page.goto(path)
        if name == "studio":
            page.fill("#text", TEXT[language])
            expect(page.locator("#text-estimate")).not_to_be_empty()
        if name in {"studio", "job", "system"}:
            expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
        check(page, language)
        take(page, f"{name}-{kind}")


def test_picture_of_the_login(open_page: OpenPage, take: Take) -> None:
    page = open_page(language="zh", user=None)
    page.goto("/")
    take(page, "login-zh-light-desktop")
    assert page.locator("#id_password").is_visible()
