"""A member's whole way: log in, make a voice, submit, watch, listen early, download, find it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from synthesis.audio import wav
from tests.browser.conftest import OpenPage

LONG = " ".join(
    f"Sentence number {word} of this rather long text is spoken slowly, so that somebody can watch it being made."
    for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
)


def upload(page: Page, spoken: Path) -> None:
    page.click("[data-open=upload-dialog]")
    page.set_input_files("#upload-audio", spoken)
    page.fill("#upload-name", "Uploaded voice")
    page.check("#upload-dialog input[name=consent]")
    page.click("#upload-dialog button[type=submit]")
    expect(page.locator("#voice-name")).to_have_text("Uploaded voice")


def record(page: Page, _spoken: Path) -> None:
    page.click("[data-open=record-dialog]")
    page.click("#record-toggle")
    # Three seconds of the words that Chromium plays as its microphone.
    expect(page.locator("#record-time")).to_contain_text("0:03", timeout=10_000)
    page.click("#record-toggle")
    expect(page.locator("#record-preview")).to_be_visible()
    page.fill("#record-name", "Recorded voice")
    page.check("#record-dialog input[name=consent]")
    page.click("#record-dialog button[type=submit]")
    expect(page.locator("#voice-name")).to_have_text("Recorded voice")


class Watched:
    """What a job page showed while its job ran."""

    def __init__(self) -> None:
        self.stages: set[str] = set()
        self.percents: list[int] = []
        self.early_segment_s = 0.0


def watch(page: Page) -> Watched:
    """Look at the page until its job has ended; play the first segment as soon as there is one."""
    seen = Watched()
    deadline = time.monotonic() + 60
    status = ""
    while status != "completed":
        assert time.monotonic() < deadline, f"the job is still {status}"
        status = page.get_attribute(".job-head [data-badge]", "data-status") or ""
        assert status in {"queued", "running", "completed"}
        seen.stages |= set(
            page.eval_on_selector_all("[data-stage][data-state=now]", "all => all.map(x => x.dataset.stage)")
        )
        seen.percents.append(int(page.inner_text("#percent").strip(" %") or 0))
        if status == "running" and not seen.early_segment_s and page.locator("[data-segment='0'][data-state]").count():
            seen.early_segment_s = page.evaluate(PLAYABLE_SECONDS)
    return seen


def stage_times(page: Page) -> list[float]:
    """Seconds that the page shows at each of the four stages."""
    return [float(text.split()[0]) if text else 0.0 for text in page.locator("#track .track-time").all_inner_texts()]


PLAYABLE_SECONDS = """async () => {
  const id = location.pathname.split("/")[2];
  const answer = await fetch(`/jobs/${id}/segments/0.wav`);
  if (!answer.ok) return 0;
  const audio = await new AudioContext().decodeAudioData(await answer.arrayBuffer());
  return audio.duration;
}"""


@pytest.mark.parametrize("make_voice", [upload, record], ids=["uploaded", "recorded"])
def test_the_whole_way(
    open_page: OpenPage, spoken: Path, tmp_path: Path, make_voice: Callable[[Page, Path], None]
) -> None:
    page = open_page()
    make_voice(page, spoken)
    page.fill("#text", LONG)
    expect(page.locator(".text-copy .cut")).not_to_have_count(0)
    page.fill("#instruct", "speak slowly")
    page.press("#text", "Control+Enter")
    card = page.locator("#job-list .job-card[data-status=running]").first
    expect(card).to_be_visible()
    job = card.get_attribute("data-job")
    page.goto(f"/jobs/{job}/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")

    seen = watch(page)
    assert {"acoustic", "vocoder"} <= seen.stages
    assert seen.percents == sorted(seen.percents)
    assert len(set(seen.percents)) > 5
    assert seen.early_segment_s > 1
    for stage in ("extract", "acoustic", "vocoder", "save"):
        expect(page.locator(f"#track [data-stage={stage}]")).to_have_attribute("data-state", "done")
    expect(page.locator("#log-lines .log-line[data-level=INFO]")).not_to_have_count(0)
    counted_here = stage_times(page)
    page.reload()  # now they are the server's
    assert stage_times(page) == pytest.approx(counted_here, abs=0.15)  # shown in tenths

    page.click("#copy-seed")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#seed").strip()

    link = page.locator("#outputs a[href$='.wav?download']")
    with page.expect_download() as download:
        link.first.click()
    path = tmp_path / "output.wav"
    download.value.save_as(path)
    samples, rate = wav.read_wav(path)
    assert rate == 24_000
    assert len(samples) / rate > 20
    assert 0.02 < float(abs(samples).max()) <= 1.0

    page.goto("/jobs/?q=rather+long")
    expect(page.locator(f"#history tr[data-job='{job}']")).to_have_attribute("data-status", "completed")


def test_a_bad_field_is_named_in_the_persons_language(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(language="zh")
    not_audio = tmp_path / "words.wav"
    not_audio.write_text("these are words and no sound")
    page.click("[data-open=upload-dialog]")
    page.set_input_files("#upload-audio", not_audio)
    page.fill("#upload-name", "坏文件")
    page.check("#upload-dialog input[name=consent]")
    page.click("#upload-dialog button[type=submit]")
    expect(page.locator("#upload-dialog [data-problem=audio]")).to_contain_text("音频")
    page.keyboard.press("Escape")
    page.fill("#text", "…")
    page.click("#generate")
    problem = page.locator("#text-problem")
    expect(problem).to_be_visible()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem.inner_text())


FIVE_LINES = """
([url, voice]) => new Promise((resolve) => {
  const seen = [];
  const socket = new WebSocket(url);
  const job = {task: "generate_audio", prompt_audio: voice, text: "Hello, old client.", instruct: "speak gently"};
  socket.onopen = () => socket.send(JSON.stringify(job));
  socket.onmessage = (message) => {
    const {status, step, total, message: text, output_url} = JSON.parse(message.data);
    seen.push({status, step, total, text, output_url});
    if (output_url || status === "failed" || status === "error") resolve(seen);
  };
})
"""


def test_the_five_line_client_of_the_original_protocol_works_unchanged(open_page: OpenPage) -> None:
    page = open_page()
    voice = page.input_value("#prompt_audio")
    url = page.evaluate("() => `ws://${location.host}/ws/`")
    seen = page.evaluate(FIVE_LINES, [url, voice])
    steps = [(frame["step"], frame["total"]) for frame in seen if frame.get("step")]
    assert steps[0] == (1, 4)
    assert steps[-1] == (4, 4)
    assert all(frame["text"] for frame in seen if frame.get("step"))
    url = seen[-1]["output_url"]
    assert url.startswith("/outputs/output_")
    assert url.endswith(".wav")
    answer = page.request.get(url, headers={"Range": "bytes=0-99"})
    assert (answer.status, len(answer.body())) == (206, 100)
