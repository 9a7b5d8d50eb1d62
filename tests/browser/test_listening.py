"""Listening to a job while it is made: what reaches the loudspeakers is the finished file, sample for sample."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from synthesis.audio import wav
from synthesis.jobs.recipe import PAUSE_BETWEEN_SEGMENTS_S
from tests.browser.conftest import OpenPage
from tests.portal import Portal

HERE = Path(__file__).parent
RATE = wav.SAMPLE_RATE_HZ
PAUSE = round(PAUSE_BETWEEN_SEGMENTS_S * RATE)
WITHIN_MS = 60_000
TEXT = " ".join(
    f"This is sentence {word} of the text." for word in ("one", "two", "three", "four", "five", "six", "seven", "eight")
)

Samples = NDArray[np.int16]


@pytest.fixture(scope="module")
def api(portal: Portal) -> Iterator[httpx.Client]:
    with portal.client() as client:
        yield client


def submit(api: httpx.Client, **more: Any) -> str:
    """A job of eight segments of about two seconds."""
    answer = api.post("/api/v1/jobs", json={"text": TEXT, "seed": 7, **more})
    return str(answer.json()["id"])


def job_now(api: httpx.Client, job: str) -> dict[str, Any]:
    return dict(api.get(f"/api/v1/jobs/{job}").json())


def control(api: httpx.Client, job: str, command: str) -> None:
    api.post(f"/api/v1/jobs/{job}/control", json={"command": command}).raise_for_status()


@pytest.fixture
def paused(api: httpx.Client, portal: Portal) -> str:
    """A job that was paused after its first segment or one of the next."""
    job = submit(api)
    portal.wait_until(lambda: job_now(api, job)["segments_done"] >= 1, 60)
    control(api, job, "pause")
    portal.wait_until(lambda: job_now(api, job)["status"] == "paused", 60)
    return job


@pytest.fixture(scope="module")
def finished(api: httpx.Client, portal: Portal) -> str:
    job = submit(api)
    portal.wait_until(lambda: job_now(api, job)["status"] == "completed", 90)
    return job


def open_job(open_page: OpenPage, job: str, **how: Any) -> Page:
    # The recorder is a script that the content policy would rightly refuse.
    page = open_page(bypass_csp=True, **how)
    page.add_init_script(path=HERE / "listening.js")
    page.goto(f"/jobs/{job}/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    return page


def pcm(data: bytes) -> Samples:
    """The samples of one of the portal's own WAV files."""
    at = data.index(b"data") + 8
    length = int.from_bytes(data[at - 4 : at], "little")
    return np.frombuffer(data[at : at + length], "<i2")


def segment(api: httpx.Client, job: str, index: int) -> Samples:
    return pcm(api.get(f"/jobs/{job}/segments/{index}.wav").content)


def whole(api: httpx.Client, job: str) -> Samples:
    outputs = api.get(f"/api/v1/jobs/{job}/outputs").json()["items"]
    name = next(one["name"] for one in outputs if one["format"] == "wav")
    return pcm(api.get(f"/outputs/{name}").content)


def heard(page: Page) -> Samples:
    return np.frombuffer(base64.b64decode(page.evaluate("heard.samples()")), "<i2")


def without_silence_before(samples: Samples) -> Samples:
    return samples[np.flatnonzero(samples)[0] :]


def expect_playing(page: Page, playing: bool) -> None:
    expect(page.locator("#play")).to_have_attribute("data-playing", str(playing).lower(), timeout=WITHIN_MS)


def place_s(page: Page) -> int:
    return int(page.get_attribute("#wave", "aria-valuenow") or 0)


def test_what_is_heard_while_a_job_is_made_is_its_file_sample_for_sample(
    open_page: OpenPage, api: httpx.Client, portal: Portal, paused: str
) -> None:
    page = open_job(open_page, paused)
    made = page.locator("[data-segment]:not(:disabled)").count()
    page.click("#play")
    waiting = page.locator("#waiting")
    expect(waiting).to_have_attribute("data-shown", "true", timeout=WITHIN_MS)
    expect(waiting).to_have_text(f"waiting for segment {made + 1}…")
    expect_playing(page, True)

    control(api, paused, "resume")
    expect(page.locator(f"[data-segment='{made}'][data-state=spoken]")).to_be_visible(timeout=WITHIN_MS)
    expect(waiting).to_have_attribute("data-shown", "false")
    expect(page.locator(".job-head [data-badge]")).to_have_attribute("data-status", "completed", timeout=WITHIN_MS)
    expect_playing(page, True)
    expect_playing(page, False)
    page.wait_for_function("heard.connected === 0")

    sound, file = heard(page), whole(api, paused)
    ends = np.cumsum([len(segment(api, paused, index)) + PAUSE for index in range(8)])
    before, after = file[: ends[made - 1]], file[ends[made - 1] :]
    sound = without_silence_before(sound)
    before = without_silence_before(before)
    assert np.array_equal(sound[: len(before)], before), "the segments that were there"
    rest, after = without_silence_before(sound[len(before) :]), without_silence_before(after)
    assert np.array_equal(rest[: len(after)], after), "the segments that came while others were heard"
    assert not rest[len(after) :].any()
    assert page.evaluate("heard.elements.size") == 0


def test_segments_with_the_pages_pause_between_them_are_the_file(
    open_page: OpenPage, api: httpx.Client, finished: str
) -> None:
    page = open_job(open_page, finished)
    state = page.evaluate("JSON.parse(document.getElementById('job-state').textContent)")
    pause = np.zeros(round(state["pause_s"] * state["sample_rate_hz"]), np.int16)
    parts: list[Samples] = []
    for one in state["segments"]:
        decoded = page.evaluate(
            """async (url) => {
              const { readWav } = await import("/static/js/components/pcm.js");
              const samples = readWav(await (await fetch(url)).arrayBuffer()).getChannelData(0);
              return new Uint8Array(Int16Array.from(samples, (sample) => sample * 32768).buffer).toBase64();
            }""",
            one["audio_url"],
        )
        parts += [np.frombuffer(base64.b64decode(decoded), "<i2"), pause]
    assert np.array_equal(np.concatenate(parts[:-1]), whole(api, finished))


def test_pause_seek_and_keys_while_a_job_is_made(open_page: OpenPage, api: httpx.Client, paused: str) -> None:
    page = open_job(open_page, paused)
    page.click("#play")
    expect(page.locator("[data-segment='0']")).to_have_attribute("data-state", "spoken")
    page.wait_for_function("document.getElementById('wave').ariaValueNow >= 1")
    page.focus("#wave")
    page.keyboard.press("Space")
    expect_playing(page, False)
    page.wait_for_function("heard.connected === 0")
    assert place_s(page) >= 1

    page.keyboard.press("Home")
    assert place_s(page) == 0
    expect_playing(page, False)
    page.keyboard.press("Space")
    expect_playing(page, True)
    page.keyboard.press("End")
    expect(page.locator("#waiting")).to_have_attribute("data-shown", "true", timeout=WITHIN_MS)
    page.click("[data-segment='0']")
    expect(page.locator("[data-segment='0']")).to_have_attribute("data-state", "spoken")
    control(api, paused, "cancel")
    expect_playing(page, False)
    assert page.evaluate("heard.contexts") == 1


def test_a_paused_sound_goes_on_in_the_finished_file(
    open_page: OpenPage, api: httpx.Client, portal: Portal, paused: str
) -> None:
    page = open_job(open_page, paused)
    page.click("#play")
    page.wait_for_function("document.getElementById('wave').ariaValueNow >= 1")
    page.click("#play")
    expect_playing(page, False)
    stopped = place_s(page)
    control(api, paused, "resume")
    expect(page.locator(".job-head [data-badge]")).to_have_attribute("data-status", "completed", timeout=WITHIN_MS)
    assert place_s(page) == stopped
    page.click("#play")
    page.wait_for_function("[...heard.elements].some((one) => !one.paused && one.currentTime > 0)")
    position = page.evaluate("[...heard.elements][0].currentTime")
    assert stopped - 0.6 < position < stopped + 3


def test_a_finished_job_is_streamed_from_its_file(open_page: OpenPage, finished: str) -> None:
    page = open_job(open_page, finished, phone=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("#play")
    page.wait_for_function("[...heard.elements].some((one) => one.currentTime > 0.2)")
    expect(page.locator("[data-segment='0']")).to_have_attribute("data-state", "spoken")
    page.click("[data-segment='3']")
    expect(page.locator("[data-segment='3']")).to_have_attribute("data-state", "spoken")
    page.focus("#wave")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-segment='2']")).to_have_attribute("data-state", "spoken")
    assert page.evaluate("navigator.mediaSession.playbackState") == "playing"
    page.keyboard.press("End")
    expect_playing(page, False)
    page.click("#play")
    expect(page.locator("[data-segment='0']")).to_have_attribute("data-state", "spoken")
    assert page.evaluate("heard.contexts") == 0
    assert any("/outputs/" in url for url in asked)
    assert not any("/segments/" in url for url in asked)


LONG_JOB = """async (segment) => {
  const { LiveSound } = await import("/static/js/components/live-sound.js");
  const { Timeline } = await import("/static/js/components/timeline.js");
  const segments = Array(500).fill(segment);
  globalThis.sound = new LiveSound(new Timeline(segments, 0.18), 24000, () => false);
  sound.play({ index: 0, offset: 0 });
}"""


def test_of_a_long_job_only_the_next_minute_is_held(open_page: OpenPage, finished: str) -> None:
    page = open_job(open_page, finished)
    state = page.evaluate("JSON.parse(document.getElementById('job-state').textContent)")
    page.evaluate(LONG_JOB, state["segments"][0])
    in_a_minute = 60 / (state["segments"][0]["duration_s"] + state["pause_s"])
    page.wait_for_function("(count) => heard.connected > count", arg=in_a_minute)
    page.wait_for_function("sound.place.index >= 2")
    assert page.evaluate("heard.connected") <= in_a_minute + 3
    page.evaluate("sound.stop()")
    page.wait_for_function("heard.connected === 0")


def test_the_format_asked_for_is_the_first_file(open_page: OpenPage, api: httpx.Client, portal: Portal) -> None:
    job = submit(api, text="Only a short text.", format="mp3")
    portal.wait_until(lambda: job_now(api, job)["status"] == "completed", 60)
    page = open_job(open_page, job)
    assert page.locator(".output-format").all_inner_texts() == ["MP3", "WAV", "FLAC", "OGG"]
    expect(page.locator(".output-row").first).to_contain_text("Requested")
    expect(page.locator(".output-main")).to_have_count(1)
