"""Voices over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthesis.audio import wav
from synthesis.models import AuditEntry, User, Voice
from synthesis.outputs import store
from tests.conftest import make_voice
from tests.integration.api.conftest import Caller


def test_a_recording_becomes_a_voice(program: Caller, owner: User, recording: bytes) -> None:
    answer = program.upload(recording, name=" Me ", shared="true", origin="recording")
    assert answer.status_code == 201
    told = answer.json()
    assert (told["name"], told["transcript"], told["language"], told["owner_name"]) == ("Me", "hello", "en", "alice")
    assert (told["shared"], told["editable"], told["origin"]) == (True, True, "recording")
    assert told["duration_s"] == pytest.approx(2.0, abs=0.01)
    assert told["audio_url"] == f"/voices/{told['id']}/audio.wav"
    voice = Voice.objects.get(pk=told["id"])
    assert voice.owner == owner
    samples, rate = wav.read_wav(store.open_path(voice.path))
    assert (rate, len(samples)) == (24_000, 48_000)
    assert AuditEntry.objects.get(action="voice.create").object_id == told["id"]


def test_a_voice_is_renamed_and_shared(program: Caller, owner: User) -> None:
    voice = make_voice("Old", owner=owner)
    assert program.patch(f"/api/v1/voices/{voice.pk}", {"name": "New"}).json()["name"] == "New"
    told = program.patch(f"/api/v1/voices/{voice.pk}", {"shared": True}).json()
    assert (told["name"], told["shared"]) == ("New", True)
    assert program.patch(f"/api/v1/voices/{voice.pk}", {}).json() == told
    actions = AuditEntry.objects.filter(object_id=voice.pk).values_list("action", flat=True)
    assert set(actions) == {"voice.rename", "voice.share"}


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"name": 5}, "name"), ({"shared": "x"}, "shared")],
)
def test_a_wrong_change_is_refused(body: dict[str, Any], field: str, program: Caller, owner: User) -> None:
    voice = make_voice("Old", owner=owner)
    answer = program.patch(f"/api/v1/voices/{voice.pk}", body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
    voice.refresh_from_db()
    assert (voice.name, voice.shared) == ("Old", False)


def test_a_change_is_made_whole_or_not_at_all(program: Caller, owner: User) -> None:
    voice = make_voice("Old", owner=owner)
    assert program.patch(f"/api/v1/voices/{voice.pk}", {"name": " ", "shared": True}).status_code == 422
    voice.refresh_from_db()
    assert voice.shared is False


def test_a_deleted_voice_is_gone_with_its_file(program: Caller, owner: User, media: Path) -> None:
    voice = make_voice("Own", owner=owner)
    assert program.delete(f"/api/v1/voices/{voice.pk}").status_code == 204
    assert program.get(f"/api/v1/voices/{voice.pk}").status_code == 404
    assert program.get("/api/v1/voices").json()["items"] == []
    assert program.delete(f"/api/v1/voices/{voice.pk}").status_code == 404
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_the_list_takes_a_fixed_number_of_queries(
    program: Caller, owner: User, teammate: User, voice: Voice, django_assert_num_queries: Any
) -> None:
    program.get("/api/v1/voices")
    for person in (owner, teammate):
        for _ in range(5):
            make_voice("V", owner=person, shared=True)
    with django_assert_num_queries(2):  # key, voices
        voices = program.get("/api/v1/voices").json()["items"]
    assert len(voices) == 11
    assert sum(one["editable"] for one in voices) == 5


def test_findings_come_in_the_callers_language(program: Caller, owner: User) -> None:
    voice = make_voice("Dull", owner=owner, findings=[{"code": "low_sample_rate", "values": {"rate_khz": "8"}}])
    (said,) = program.get(f"/api/v1/voices/{voice.pk}").json()["findings"]
    assert said == "Input audio sample rate is 8kHz, recommend 16kHz"
    (in_chinese,) = program.get(f"/api/v1/voices/{voice.pk}", **{"Accept-Language": "zh"}).json()["findings"]
    assert in_chinese != said
