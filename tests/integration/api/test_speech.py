"""OpenAI's addresses before there is a sound: who may call them, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from synthesis.models import Job, User, Voice
from synthesis.voices import library
from tests.conftest import make_voice
from tests.integration.api.conftest import Caller

pytestmark = pytest.mark.django_db

SPEECH = "/v1/audio/speech"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/audio/voices", SPEECH])
def test_nobody_gets_in(nobody: Caller, path: str) -> None:
    answer = nobody.post(path, {"input": "Hello."}) if path == SPEECH else nobody.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", ""),
        ("input", 5),
        ("voice", "alloy"),
        ("voice", {"id": "nothere"}),
        ("voice", ["Reference"]),
        ("instructions", "x" * 501),
        ("response_format", "aac"),
        ("speed", 4.0),
        ("seed", -1),
        ("stream_format", "video"),
    ],
)
def test_what_is_wrong_is_named_as_the_caller_calls_it(program: Caller, voice: Voice, field: str, value: Any) -> None:
    answer = program.post(SPEECH, {"model": "tts-1", "input": "Hello.", field: value})
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == [field]
    assert not Job.objects.exists()


def test_a_body_that_is_no_object_is_refused(program: Caller) -> None:
    assert program.post(SPEECH, "[]").status_code == 400
    assert program.get(SPEECH).status_code == 405
    assert program.get("/v1/chat/completions").json()["error"]["code"] == "not_found"


def test_voices_of_others_are_neither_listed_nor_spoken_with(
    program: Caller, voice: Voice, owner: User, teammate: User
) -> None:
    make_voice("Mine", owner=owner)
    make_voice("Theirs", owner=teammate)
    listed = program.get("/v1/audio/voices").json()["voices"]
    assert [one["name"] for one in listed] == ["Mine", voice.name]
    assert program.post(SPEECH, {"input": "Hello.", "voice": "Theirs"}).status_code == 422


def test_the_engine_is_the_only_model(program: Caller, settings: Any) -> None:
    assert [model["id"] for model in program.get("/v1/models").json()["data"]] == [settings.ENGINE]


@pytest.mark.parametrize("word", ["爱丽丝 alice", "爱丽丝", " Alice ", "id"])
def test_a_voice_goes_by_its_id_its_name_or_a_word_of_it(voice: Voice, owner: User, word: str) -> None:
    make_voice("Alice's brother", owner=owner)
    alice = make_voice("爱丽丝 Alice")
    make_voice("Alice too", owner=owner)
    assert library.called(alice.pk if word == "id" else word, owner) == alice
    for nobody in ("Ali", "", "\0", "x" * 500):
        assert library.called(nobody, owner) is None
