"""Wrong requests: the field is named, in the caller's language, and nothing is left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthesis.jobs import queue
from synthesis.models import AuditEntry, Batch, Control, Event, Job, Segment, User, Voice
from synthesis.outputs import store
from tests.integration.api.conftest import Caller

CHINESE = re.compile("[\u4e00-\u9fff]")
WRONG_JOBS: dict[str, tuple[dict[str, Any], str]] = {
    "no text": ({}, "text"),
    "empty text": ({"text": ""}, "text"),
    "white space": ({"text": " \n\t　"}, "text"),
    "punctuation only": ({"text": "……！？"}, "text"),
    "100,000 characters": ({"text": "你" * 100_000}, "text"),
    "text that is no text": ({"text": ["a"]}, "text"),
    "unknown voice": ({"text": "Hello.", "prompt_audio": "nosuchvoice"}, "prompt_audio"),
    "voice that is no id": ({"text": "Hello.", "prompt_audio": {"id": 1}}, "prompt_audio"),
    "seed that is no number": ({"text": "Hello.", "seed": "abc"}, "seed"),
    "negative seed": ({"text": "Hello.", "seed": -1}, "seed"),
    "seed beyond 2**53": ({"text": "Hello.", "seed": 2**53}, "seed"),
    "seed of half a number": ({"text": "Hello.", "seed": 1.5}, "seed"),
    "seed true": ({"text": "Hello.", "seed": True}, "seed"),
    "speed 0": ({"text": "Hello.", "speed": 0}, "speed"),
    "speed of text": ({"text": "Hello.", "speed": "fast"}, "speed"),
    "priority": ({"text": "Hello.", "priority": 11}, "priority"),
    "mode": ({"text": "Hello.", "mode": "shout"}, "mode"),
    "mode of a list": ({"text": "Hello.", "mode": []}, "mode"),
    "format": ({"text": "Hello.", "format": "exe"}, "format"),
    "long instruction": ({"text": "Hello.", "instruct": "x" * 501}, "instruct"),
    "no takes": ({"text": "Hello.", "takes": 0}, "takes"),
    "too many takes": ({"text": "Hello.", "takes": 21}, "takes"),
    "takes of text": ({"text": "Hello.", "takes": "many"}, "takes"),
    "seed too high for its takes": ({"text": "Hello.", "takes": 2, "seed": 2**53 - 1}, "seed"),
    "no texts": ({"texts": []}, "texts"),
    "texts that are no list": ({"texts": "Hello."}, "texts"),
    "too many texts": ({"texts": ["Hello."] * 101}, "texts"),
    "text and texts": ({"text": "Hello.", "texts": ["Hello."]}, "texts"),
    "one empty text of two": ({"texts": ["Hello.", ""]}, "texts.1"),
    "one text of two that is no text": ({"texts": ["Hello.", 5]}, "texts.1"),
    "more jobs than one request may make": ({"texts": ["Hello."] * 6, "takes": 20}, "takes"),
}


def assert_nothing_is_left(media: Path) -> None:
    for model in (Job, Segment, Event, Batch, Control):
        assert not model._default_manager.exists(), model
    assert not Voice.objects.exclude(owner=None).exists()
    assert not AuditEntry.objects.exclude(action="key.create").exists()
    ready_made = {store.open_path(voice.path) for voice in Voice.objects.filter(owner=None)}
    assert {path for path in media.rglob("*") if path.is_file()} == ready_made
    assert queue.tickets() == 0


@pytest.mark.usefixtures("voice")
@pytest.mark.parametrize(("body", "field"), WRONG_JOBS.values(), ids=WRONG_JOBS.keys())
def test_a_wrong_job_is_refused_in_both_languages(
    body: dict[str, Any], field: str, program: Caller, media: Path
) -> None:
    english = program.post("/api/v1/jobs", body)
    chinese = program.post("/api/v1/jobs", body, **{"Accept-Language": "zh-CN,zh;q=0.9"})
    for answer in (english, chinese):
        assert answer.status_code == 422
        assert list(answer.json()["error"]["fields"]) == [field]
        assert answer.json()["error"]["code"] == "bad_request"
    assert not CHINESE.search(english.json()["error"]["fields"][field])
    assert CHINESE.search(chinese.json()["error"]["fields"][field])
    assert_nothing_is_left(media)


@pytest.mark.usefixtures("voice")
def test_every_wrong_field_is_named_at_once(program: Caller) -> None:
    body = {"text": "", "seed": "x", "speed": 9, "format": "exe"}
    fields = program.post("/api/v1/jobs", body).json()["error"]["fields"]
    assert list(fields) == ["text", "seed", "speed", "format"]


def test_without_any_voice_it_says_so(program: Caller) -> None:
    fields = program.post("/api/v1/jobs", {"text": "Hello."}).json()["error"]["fields"]
    assert fields == {"prompt_audio": "There is no voice yet: please create one first."}


@pytest.mark.usefixtures("voice")
def test_a_strangers_voice_does_not_exist(program: Caller, teammate: User, media: Path) -> None:
    from tests.conftest import make_voice

    theirs = make_voice("Theirs", owner=teammate)
    answer = program.post("/api/v1/jobs", {"text": "Hello.", "prompt_audio": theirs.pk})
    assert answer.json()["error"]["fields"] == {"prompt_audio": "This voice does not exist."}


@pytest.mark.usefixtures("voice")
@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null", "5", b"\xff\xfe".decode("latin-1"), "[" * 50_000])
def test_a_body_that_is_no_object_is_refused(body: str, program: Caller, media: Path) -> None:
    answer = program.post("/api/v1/jobs", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "The body of the request must be a JSON object."
    assert_nothing_is_left(media)


def test_a_body_over_the_limit_is_refused(program: Caller) -> None:
    answer = program.post("/api/v1/jobs", '{"text": "' + "x" * 3_000_000 + '"}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.usefixtures("voice")
def test_a_long_idempotency_key_is_refused(program: Caller) -> None:
    answer = program.post("/api/v1/jobs", {"text": "Hello."}, **{"Idempotency-Key": "k" * 201})
    assert list(answer.json()["error"]["fields"]) == ["Idempotency-Key"]


TEXT_FILE = b"This is a text file, whatever its name says.\n" * 100
WRONG_VOICES: dict[str, tuple[bytes | None, dict[str, str], str]] = {
    "text named .wav": (TEXT_FILE, {}, "audio"),
    "empty file": (b"", {}, "audio"),
    "no file": (None, {}, "audio"),
    "no name": (b"good", {"name": ""}, "name"),
    "long name": (b"good", {"name": "x" * 81}, "name"),
    "no consent": (b"good", {"consent": "false"}, "consent"),
    "consent of neither yes nor no": (b"good", {"consent": "perhaps"}, "consent"),
    "language": (b"good", {"language": "fr"}, "language"),
    "origin": (b"good", {"origin": "ready_made"}, "origin"),
    "long transcript": (b"good", {"transcript": "x" * 1001}, "transcript"),
}


@pytest.mark.parametrize(("audio", "fields", "field"), WRONG_VOICES.values(), ids=WRONG_VOICES.keys())
def test_a_wrong_voice_is_refused_in_both_languages(
    audio: bytes | None, fields: dict[str, str], field: str, program: Caller, recording: bytes, media: Path
) -> None:
    messages = []
    for language in ("en", "zh-hans"):
        program.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        answer = program.upload(recording if audio == b"good" else audio, **fields)
        assert answer.status_code == 422
        assert list(answer.json()["error"]["fields"]) == [field]
        messages.append(answer.json()["error"]["fields"][field])
    assert not CHINESE.search(messages[0])
    assert CHINESE.search(messages[1])
    assert_nothing_is_left(media)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "command"),
        ({"command": "explode"}, "command"),
        ({"command": ["speed"]}, "command"),
        ({"command": "speed"}, "value"),
        ({"command": "speed", "value": "NaN"}, "value"),
        ({"command": "speed", "value": 0}, "value"),
        ({"command": "priority", "value": 11}, "value"),
        ({"command": "voice", "value": "nosuchvoice"}, "value"),
        ({"command": "instruct", "value": 5}, "value"),
    ],
)
def test_a_wrong_command_changes_nothing(
    body: dict[str, Any], field: str, program: Caller, owner: User, make_job: Callable[..., Job]
) -> None:
    job = make_job(owner)
    answer = program.post(f"/api/v1/jobs/{job.pk}/control", body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
    assert not Control.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 101}, "limit"),
        ({"limit": 0}, "limit"),
        ({"status": "done"}, "status.0"),
        ({"seed": "x"}, "seed"),
        ({"since": "yesterday"}, "since"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "WyIyMDI2LTAxLTAxIiwgImEiXQ"}, "cursor"),
        ({"q": "x" * 201}, "q"),
    ],
)
def test_a_wrong_filter_is_named(query: dict[str, Any], field: str, program: Caller) -> None:
    for language, is_chinese in (("en", False), ("zh", True)):
        answer = program.get("/api/v1/jobs", query, **{"Accept-Language": language})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
        assert bool(CHINESE.search(answer.json()["error"]["message"])) is is_chinese
