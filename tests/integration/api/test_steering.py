"""Commands that are refused, over HTTP and over the socket: a clear error, and no trace but the audit's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from synthesis.errors import PortalError
from synthesis.jobs.states import ACCEPTED_IN
from synthesis.models import AuditEntry, Control, Event, Job, Segment, User, Voice
from synthesis.realtime import requests
from synthesis.realtime.identity import Identity
from synthesis.vocabulary import ACTIVE, Command, Status
from tests.conftest import make_voice
from tests.integration.api.conftest import program_of

Refusal = tuple[str, dict[str, str]]
Edge = Callable[[User, Job, dict[str, Any], str], Refusal]
VALUES: dict[Command, Any] = {Command.SPEED: 1.5, Command.INSTRUCT: "gently", Command.PRIORITY: 5}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"command": "speed", "value": 3}, "value"),
    ({"command": "speed", "value": None}, "value"),
    ({"command": "speed", "value": "fast"}, "value"),
    ({"command": "voice", "value": "nobody"}, "value"),
    ({"command": "voice", "value": None}, "value"),
    ({"command": "instruct", "value": "x" * 501}, "value"),
    ({"command": "instruct", "value": 7}, "value"),
    ({"command": "priority", "value": 99}, "value"),
    ({"command": "priority", "value": None}, "value"),
    ({"command": "speed", "value": 1.5, "redo": "yes"}, "redo"),
    ({"command": "speed", "value": 1.5, "redo": 1}, "redo"),
    ({"command": "priority", "value": 1, "redo": True}, "redo"),
    ({"command": "cancel", "redo": True}, "redo"),
    ({"command": "sing"}, "command"),
    ({"command": None}, "command"),
    ({}, "command"),
]


def over_http(user: User, job: Job, body: dict[str, Any], language: str) -> Refusal:
    answer = program_of(user).post(f"/api/v1/jobs/{job.pk}/control", body, **{"Accept-Language": language})
    assert answer.status_code in {404, 409, 422}, answer.content
    error = answer.json()["error"]
    return error["message"], error["fields"]


def over_the_socket(user: User, job: Job, body: dict[str, Any], language: str) -> Refusal:
    identity = Identity(user=user, language=language, address="127.0.0.1")
    with translation.override(language):
        with pytest.raises(PortalError) as refused:
            requests.control(identity, {"task": "control", "job": job.pk, **body})
        fields = {name: str(text) for name, text in refused.value.fields.items()}
        return str(refused.value.message), fields


edges = pytest.mark.parametrize("edge", [over_http, over_the_socket])


def traces(job: Job) -> dict[str, Any]:
    return {
        "job": Job.objects.filter(pk=job.pk).values().get(),
        "segments": list(Segment.objects.filter(job=job).values()),
        "events": Event.objects.count(),
        "controls": Control.objects.count(),
    }


@edges
@pytest.mark.parametrize(
    ("command", "status"),
    [(command, status) for command in Command for status in Status if status not in ACCEPTED_IN[command]],
)
def test_a_command_that_the_status_does_not_accept(
    edge: Edge, command: Command, status: Status, owner: User, voice: Voice, make_job: Callable[..., Job]
) -> None:
    job = make_job(owner, status=status)
    before = traces(job)
    value = voice.pk if command is Command.VOICE else VALUES.get(command)
    message, fields = edge(owner, job, {"command": command, "value": value}, "en")
    assert fields == {"command": message}
    assert str(dict(Job._meta.get_field("status").choices or [])[status])
    assert command in message
    assert traces(job) == before
    assert AuditEntry.objects.get(action="job.control").detail == {"command": command}


@edges
@pytest.mark.parametrize("status", sorted(ACTIVE))
@pytest.mark.parametrize(("body", "field"), WRONG)
def test_a_command_with_something_wrong_in_it(
    edge: Edge, status: Status, body: dict[str, Any], field: str, owner: User, make_job: Callable[..., Job]
) -> None:
    job = make_job(owner, status=status)
    before = traces(job)
    message, fields = edge(owner, job, body, "en")
    assert fields == {field: message}
    assert traces(job) == before
    assert AuditEntry.objects.filter(action="job.control").count() <= 1


@edges
def test_somebody_elses_job_and_somebody_elses_voice(
    edge: Edge, owner: User, teammate: User, make_job: Callable[..., Job]
) -> None:
    job = make_job(owner)
    before = traces(job)
    _message, fields = edge(teammate, job, {"command": "cancel"}, "en")
    assert fields == {}
    assert not AuditEntry.objects.filter(action="job.control").exists()
    theirs = make_voice("Theirs", owner=teammate)
    assert list(edge(owner, job, {"command": "voice", "value": theirs.pk}, "en")[1]) == ["value"]
    assert traces(job) == before


@edges
def test_a_change_when_every_segment_is_made(edge: Edge, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, status=Status.RUNNING)
    Segment.objects.filter(job=job).update(audio_path="x.wav")
    before = traces(job)
    assert list(edge(owner, job, {"command": "speed", "value": 1.5, "redo": True}, "en")[1]) == ["command"]
    assert traces(job) == before


@edges
def test_the_error_is_in_the_persons_language(edge: Edge, owner: User, make_job: Callable[..., Job]) -> None:
    running, completed = make_job(owner), make_job(owner, status=Status.COMPLETED)
    assert edge(owner, running, {"command": "speed", "value": 3}, "zh-hans")[1]["value"] == "必须是 0.5 到 2.0 的数。"
    assert "已完成" in edge(owner, completed, {"command": "resume"}, "zh-hans")[0]
    assert (
        edge(owner, running, {"command": "speed", "value": 1, "redo": 2}, "zh-hans")[1]["redo"]
        == "必须是 true 或 false。"
    )
