"""OpenAI's addresses on a whole portal: the answer is the sound of an ordinary job."""

from __future__ import annotations

import io
import threading
from typing import Any

import av
import httpx
import numpy as np
import pytest

from tests.portal import Portal

SPEECH = "/v1/audio/speech"
TEXT = "今天天气很好。The second sentence is English."


def ask(api: httpx.Client, **body: Any) -> httpx.Response:
    return api.post(SPEECH, json={"model": "tts-1", "input": TEXT, "seed": 1986, **body})


@pytest.mark.parametrize(
    ("response_format", "content_type", "codec"),
    [
        ("mp3", "audio/mpeg", "mp3float"),
        ("opus", "audio/ogg", "opus"),
        ("flac", "audio/flac", "flac"),
        ("wav", "audio/wav", "pcm_s16le"),
    ],
)
def test_the_answer_is_the_file_of_the_job(portal: Portal, response_format: str, content_type: str, codec: str) -> None:
    with portal.client() as api:
        answer = ask(api, response_format=response_format)
        assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
        job = api.get(f"/api/v1/jobs/{answer.headers['X-Job-Id']}").json()
        assert (job["status"], str(job["seed"]), job["text"]) == ("completed", answer.headers["X-Seed"], TEXT)
        assert api.get(job["output_url"]).content == answer.content
    with av.open(io.BytesIO(answer.content)) as container:
        assert container.streams.audio[0].codec_context.name == codec


def test_pcm_is_the_samples_alone_and_mp3_is_what_nobody_chose(portal: Portal) -> None:
    with portal.client() as api:
        whole, bare, plain = ask(api, response_format="wav"), ask(api, response_format="pcm"), ask(api)
    samples = np.frombuffer(bare.content, "<i2")
    assert whole.content[44 : 44 + len(bare.content)] == bare.content
    assert 2 < len(samples) / 24_000 < 10
    assert np.abs(samples).max() > 1000
    assert plain.headers["content-type"] == "audio/mpeg"


def test_a_voice_is_named_as_in_the_list(portal: Portal) -> None:
    with portal.client() as api:
        voice = api.get("/v1/audio/voices").json()["voices"][-1]
        for called in (voice["name"].upper(), voice["id"], {"id": voice["id"]}):
            answer = ask(api, input="Hello.", voice=called)
            job = api.get(f"/api/v1/jobs/{answer.headers['X-Job-Id']}").json()
            assert job["voice"] == voice["id"]


def test_a_job_that_is_cancelled_while_one_waits_is_told(portal: Portal) -> None:
    answers: list[httpx.Response] = []
    with portal.client() as api, portal.client() as other:
        api.post("/api/v1/system/queue", json={"paused": True}).raise_for_status()
        before = api.get("/api/v1/jobs").json()["items"][0]["id"]
        waiting = threading.Thread(target=lambda: answers.append(ask(other)))
        waiting.start()
        try:
            portal.wait_until(lambda: api.get("/api/v1/jobs").json()["items"][0]["id"] != before, 20)
            job = api.get("/api/v1/jobs").json()["items"][0]["id"]
            assert api.get("/healthz").status_code == 200, "whoever waits holds nobody up"
            api.post(f"/api/v1/jobs/{job}/control", json={"command": "cancel"}).raise_for_status()
            waiting.join(20)
        finally:
            api.post("/api/v1/system/queue", json={"paused": False}).raise_for_status()
    assert [(one.status_code, one.headers["X-Job-Id"]) for one in answers] == [(409, job)]
    assert answers[0].json()["error"]["message"] == "The job was cancelled."
