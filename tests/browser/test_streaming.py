"""The portal with a tiny CosyVoice 3 that streams and takes two jobs: heard while it is made, and made together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_listening import (
    WITHIN_MS,
    Samples,
    expect_playing,
    heard,
    job_now,
    open_job,
    pcm,
    segment,
    whole,
)
from tests.engines.tiny_cosyvoice3 import write_model
from tests.portal import Portal

GOLDEN = Path(__file__).parents[1] / "parity" / "golden"
TEXT = "这一句话说得很慢，听的人不必等到最后才听见它的开头。"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A random model may end at once; this one says at least what the text is worth."""
    folder = tmp_path_factory.mktemp("streaming")
    model_dir = write_model(folder / "model", GOLDEN)
    running = Portal(
        folder / "data",
        COSYWEB_ENGINE="cosyvoice3",
        COSYVOICE_MODEL_DIR=str(model_dir),
        COSYVOICE_STREAMING="1",
        COSYVOICE_ROWS="2",
        COSYVOICE_KEEP_LEAST="1",
    )
    running.data_dir.mkdir()
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_a_segment_is_heard_while_it_is_made(open_page: OpenPage, portal: Portal) -> None:
    with portal.client() as api:
        api.post("/api/v1/system/queue", json={"paused": True}).raise_for_status()  # until the page is there
        job = str(api.post("/api/v1/jobs", json={"text": TEXT, "seed": 7}).json()["id"])
        page = open_job(open_page, job)
        api.post("/api/v1/system/queue", json={"paused": False}).raise_for_status()
        expect(page.locator("#play")).to_be_enabled(timeout=WITHIN_MS)
        assert page.locator("[data-segment]:not(:disabled)").count() == 0, "the segment was finished before"
        page.click("#play")
        expect_playing(page, True)
        portal.wait_until(lambda: job_now(api, job)["status"] == "completed", 60)
        expect_playing(page, False)
        events = api.get(f"/api/v1/jobs/{job}/events").json()["events"]
        chunks = [event["chunk"] for event in events if "chunk" in event and event["chunk"]["index"] == 0]
        samples = segment(api, job, 0)
        assert [chunk["start"] for chunk in chunks] == [0, *(chunk["end"] for chunk in chunks[:-1])]
        assert chunks[-1]["end"] == len(samples)
        joined = np.concatenate([pcm(api.get(chunk["audio_url"]).content) for chunk in chunks])
        assert np.array_equal(joined, samples)
        for wrong in ("from=5&to=5", "from=-1&to=9", "from=0&to=x", "from=0", "from=0&to=99999999"):
            assert api.get(f"/jobs/{job}/segments/0.wav?{wrong}").status_code == 400
        assert api.get(f"/jobs/{job}/segments/0.wav?from=0&to={len(samples) + 1}").status_code == 404
        # A chunk that came late was waited for in silence; nothing else may differ.
        assert np.array_equal(sounding(heard(page)), sounding(whole(api, job)))
        page.reload()
        expect(page.locator("#log-lines")).to_contain_text("Segment 1 finished")
        expect(page.locator("#log-lines")).not_to_contain_text("undefined")


def test_two_jobs_of_one_worker_are_made_at_the_same_time(portal: Portal) -> None:
    with portal.client() as api:
        jobs = [str(api.post("/api/v1/jobs", json={"text": TEXT * 3, "seed": seed}).json()["id"]) for seed in (1, 2)]
        portal.wait_until(lambda: all(job_now(api, job)["status"] == "completed" for job in jobs), 60)
        spans = []
        for job in jobs:
            at = {event["kind"]: event["at"] for event in api.get(f"/api/v1/jobs/{job}/events").json()["events"]}
            spans.append((at["started"], at["completed"]))
        assert max(start for start, _ in spans) < min(end for _, end in spans)


def sounding(samples: Samples) -> Samples:
    sounding: Samples = samples[samples != 0]
    return sounding
