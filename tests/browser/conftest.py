"""A real Chromium against a whole portal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, sync_playwright

from tests.portal import PASSWORD, Portal

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
SPOKEN = Path("/usr/share/sounds/alsa")
WITHIN_MS = 30_000
PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1280, height=900)


# By module: while Playwright runs, its event loop occupies this thread, and no asynchronous test could run.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several seconds of spoken words (alsa-utils): what a microphone hears, and a file to upload."""
    path = tmp_path_factory.mktemp("spoken") / "microphone.wav"
    words = [SPOKEN / f"{name}.wav" for name in ("Front_Left", "Rear_Right", "Side_Left", "Front_Center")]
    join_wavs(words, path)
    return path


def join_wavs(sources: list[Path], target: Path) -> None:
    """Join PCM files of one format with the standard library."""
    import wave

    with wave.open(str(target), "wb") as joined:
        for source in sources:
            with wave.open(str(source), "rb") as part:
                if joined.getnframes() == 0:
                    joined.setparams(part.getparams())
                joined.writeframes(part.readframes(part.getnframes()))


@pytest.fixture(scope="module")
def browser(playwright: Playwright, spoken: Path) -> Iterator[Browser]:
    """Chromium whose microphone is a file."""
    microphone = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}",
    ]
    running = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS + microphone)
    yield running
    running.close()


OpenPage = Callable[..., Page]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pages in each language on each screen; in each theme too if somebody is going to look at the pictures."""
    if "theme" not in metafunc.fixturenames:
        return
    variants = [("en", "light", False), ("en", "dark", True), ("zh", "dark", False), ("zh", "light", True)]
    if metafunc.config.getoption("--screenshots"):
        variants = list(itertools.product(("en", "zh"), ("light", "dark"), (False, True)))
    metafunc.parametrize(("language", "theme", "phone"), variants)


@pytest.fixture
def open_page(browser: Browser, portal: Portal) -> Iterator[OpenPage]:
    """A fresh browser context, logged in; a script error or a refused file fails the test."""
    contexts = []
    problems: list[str] = []

    def open_page(
        *,
        language: str = "en",
        theme: str = "light",
        phone: bool = False,
        user: str | None = "admin",
        bypass_csp: bool = False,
    ) -> Page:
        context = browser.new_context(
            base_url=portal.url,
            locale="zh-CN" if language == "zh" else "en-GB",
            color_scheme="dark" if theme == "dark" else "light",
            viewport=PHONE if phone else DESK,
            device_scale_factor=2 if phone else 1,
            permissions=["microphone", "clipboard-read", "clipboard-write"],
            accept_downloads=True,
            bypass_csp=bypass_csp,
        )
        contexts.append(context)
        context.set_default_timeout(WITHIN_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
        page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
        if user:
            log_in(page, user)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def log_in(page: Page, user: str, password: str = PASSWORD) -> None:
    page.goto("/")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")
    page.wait_for_selector("#studio-form")


Take = Callable[..., Path]


@pytest.fixture
def take(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Take:
    """Take a screenshot; ``--screenshots DIR`` keeps them."""
    chosen = request.config.getoption("--screenshots")
    folder = Path(chosen) if chosen else tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, animations="disabled")
        return path

    return take
