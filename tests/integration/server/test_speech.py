"""OpenAI's addresses on a whole portal: the answer is the sound of an ordinary job."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
import httpx
import numpy as np
import pytest

from tests.portal import Portal

SPEECH = "/v1/audio/speech"
TEXT = "今天天气很好。The second sentence is English."
LONG = "A long walk along the river bank ends where it began. " * 20


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


def test_pcm_comes_while_the_job_runs(portal: Portal) -> None:
    with portal.client() as api, streamed(api, LONG, response_format="pcm") as (answer, job):
        pieces = answer.iter_raw()
        heard = next(pieces)
        status = job()["status"]
        heard += b"".join(pieces)
        assert (status, job()["status"]) == ("running", "completed")
        assert kept_samples(api, job()) == heard


def test_server_sent_events_carry_the_same_sound(portal: Portal) -> None:
    with portal.client() as api:
        for response_format in ("pcm", "mp3"):
            with streamed(api, TEXT, response_format=response_format, stream_format="sse") as (answer, job):
                events = list(events_of(answer))
                assert answer.headers["content-type"] == "text/event-stream"
            assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
            assert events[-1] == {"type": "speech.audio.done"}
            heard = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
            kept = kept_samples(api, job()) if response_format == "pcm" else api.get(job()["output_url"]).content
            assert heard == kept


def test_what_ends_a_stream_in_the_middle_is_told(portal: Portal) -> None:
    with portal.client() as api:
        with streamed(api, LONG, response_format="pcm", stream_format="sse", language="zh") as (answer, job):
            events = events_of(answer)
            assert next(events)["type"] == "speech.audio.delta"
            cancel(api, job())
            *_, last = events
            assert last == {"type": "speech.audio.error", "error": last["error"]}
            assert last["error"]["message"] == "任务已取消。"
        with streamed(api, LONG, response_format="pcm") as (answer, job):
            pieces = answer.iter_raw()
            next(pieces)
            cancel(api, job())
            with pytest.raises(httpx.ReadError):
                list(pieces)
        assert api.get("/healthz").status_code == 200


@contextmanager
def streamed(api: httpx.Client, text: str, language: str = "en", **body: Any) -> Iterator[tuple[httpx.Response, Any]]:
    """The answer as it begins, and what tells of its job."""
    headers = {"Accept-Language": language}
    with api.stream("POST", SPEECH, json={"input": text, "seed": 1986, **body}, headers=headers) as answer:
        answer.raise_for_status()
        yield answer, lambda: api.get(f"/api/v1/jobs/{answer.headers['X-Job-Id']}").json()


def events_of(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    return (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line)


def kept_samples(api: httpx.Client, job: dict[str, Any]) -> bytes:
    outputs = api.get(f"/api/v1/jobs/{job['id']}/outputs").json()["items"]
    url = next(output["url"] for output in outputs if output["format"] == "wav")
    kept = api.get(url).content
    return kept[44 : 44 + int.from_bytes(kept[40:44], "little")]


def cancel(api: httpx.Client, job: dict[str, Any]) -> None:
    api.post(f"/api/v1/jobs/{job['id']}/control", json={"command": "cancel"}).raise_for_status()
