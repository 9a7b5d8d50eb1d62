"""Who may call what: for every operation of the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from synthesis.accounts import keys
from synthesis.api.root import api
from synthesis.models import ApiKey, AuditEntry, Batch, Job, SavedSeed, User, Voice
from synthesis.vocabulary import Status
from tests.conftest import make_voice
from tests.integration.api.conftest import Caller


class Sample(NamedTuple):
    """A request that works for its owner."""

    operation: str
    status: int
    body: Any = None
    of_somebody: bool = False
    """About an object of the owner's, which a stranger must not reach."""
    ended: bool = False
    """About a job that has ended."""


SAMPLES = [
    Sample("POST /api/v1/jobs", 202, {"text": "Hello."}),
    Sample("GET /api/v1/jobs", 200),
    Sample("GET /api/v1/jobs/{job_id}", 200, of_somebody=True),
    Sample("GET /api/v1/jobs/{job_id}/events", 200, of_somebody=True),
    Sample("GET /api/v1/jobs/{job_id}/log", 200, of_somebody=True),
    Sample("GET /api/v1/jobs/{job_id}/outputs", 200, of_somebody=True),
    Sample("POST /api/v1/jobs/{job_id}/control", 202, {"command": "speed", "value": 1.5}, of_somebody=True),
    Sample("POST /api/v1/batches", 202),
    Sample("POST /api/v1/batches/preview", 200),
    Sample("GET /api/v1/batches/{batch_id}", 200, of_somebody=True),
    Sample("POST /api/v1/batches/{batch_id}/control", 202, {"command": "pause"}, of_somebody=True),
    Sample("POST /api/v1/jobs/{job_id}/replay", 202, {"verify": True}, of_somebody=True, ended=True),
    Sample("POST /api/v1/jobs/{job_id}/segments/{index}/redo", 202, {"seed": 5}, of_somebody=True, ended=True),
    Sample("GET /api/v1/voices", 200),
    Sample("POST /api/v1/voices", 201),
    Sample("GET /api/v1/voices/{voice_id}", 200, of_somebody=True),
    Sample("PATCH /api/v1/voices/{voice_id}", 200, {"name": "New name"}, of_somebody=True),
    Sample("DELETE /api/v1/voices/{voice_id}", 204, of_somebody=True),
    Sample("POST /api/v1/text/split", 200, {"text": "Hello."}),
    Sample("GET /api/v1/seeds", 200),
    Sample("POST /api/v1/seeds", 201, {"seed": 5}),
    Sample("DELETE /api/v1/seeds/{seed_id}", 204, of_somebody=True),
    Sample("GET /api/v1/keys", 200),
    Sample("POST /api/v1/keys", 201, {"name": "another"}),
    Sample("DELETE /api/v1/keys/{key_id}", 204, of_somebody=True),
    Sample("GET /api/v1/system", 200),
    Sample("POST /api/v1/system/workers", 403, {"command": "unload"}),
    Sample("POST /api/v1/system/queue", 403, {"paused": True}),
]
ALL = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.operation)
UNSAFE = pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if not sample.operation.startswith("GET")], ids=lambda s: s.operation
)
OF_SOMEBODY = pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if sample.of_somebody], ids=lambda sample: sample.operation
)


@pytest.fixture
def send(owner: User, voice: Voice, make_job: Callable[..., Job], recording: bytes) -> Callable[[Client, Sample], Any]:
    """Sends a sample about objects of the owner's."""
    ended = make_job(owner, status=Status.COMPLETED)
    ended.segments.update(audio_path="segments/made.wav")
    ids = {
        "batch_id": Batch.objects.create(owner=owner).pk,
        "index": 0,
        "job_id": make_job(owner).pk,
        "voice_id": make_voice("Own", owner=owner).pk,
        "seed_id": SavedSeed.objects.create(owner=owner, seed=1).pk,
        "key_id": keys.create(owner, "old", by=owner, address=None)[0].pk,
    }

    def request(client: Client, sample: Sample) -> Any:
        method, path = sample.operation.split()
        url = path.format(**{**ids, "job_id": ended.pk} if sample.ended else ids)
        if sample.operation == "POST /api/v1/voices":
            caller = Caller()
            caller.client = client
            return caller.upload(recording)
        if sample.operation.startswith("POST /api/v1/batches") and sample.body is None:
            return client.post(url, {"file": SimpleUploadedFile("a.txt", b"Hello.")})
        return client.generic(method, url, _json(sample.body), content_type="application/json")

    return request


def _json(body: Any) -> str:
    return "" if body is None else json.dumps(body)


def test_every_operation_of_the_document_is_tried() -> None:
    documented = {
        f"{method.upper()} {path}" for path, methods in api.get_openapi_schema()["paths"].items() for method in methods
    }
    assert documented == {sample.operation for sample in SAMPLES}


@ALL
def test_nobody_is_refused(sample: Sample, send: Callable[..., Any], nobody: Caller) -> None:
    answer = send(nobody.client, sample)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert answer["WWW-Authenticate"] == "Bearer"


@ALL
def test_a_wrong_key_is_refused_even_with_a_session(sample: Sample, send: Callable[..., Any], browser: Caller) -> None:
    browser.client.defaults["HTTP_AUTHORIZATION"] = "Bearer cwk_0123456789_wrong"
    assert send(browser.client, sample).status_code == 401


@ALL
def test_a_session_is_enough(sample: Sample, send: Callable[..., Any], browser: Caller) -> None:
    assert send(browser.client, sample).status_code == sample.status


@ALL
def test_a_key_is_enough_but_for_making_keys(sample: Sample, send: Callable[..., Any], program: Caller) -> None:
    expected = 403 if sample.operation == "POST /api/v1/keys" else sample.status
    assert send(program.client, sample).status_code == expected


@UNSAFE
def test_a_session_without_the_csrf_token_is_refused(sample: Sample, send: Callable[..., Any], owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = send(client, sample)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"


@UNSAFE
def test_a_key_needs_no_csrf_token(sample: Sample, send: Callable[..., Any], owner: User) -> None:
    _key, secret = keys.create(owner, "test", by=owner, address=None)
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})
    answer = send(client, sample)
    if sample.operation == "POST /api/v1/keys":
        assert answer.json()["error"]["message"] == "An API key cannot make API keys."
    else:
        assert answer.status_code == sample.status


@OF_SOMEBODY
def test_a_stranger_finds_nothing(
    sample: Sample, send: Callable[..., Any], teammate: User, program_for: Callable[[User], Caller]
) -> None:
    deeds = AuditEntry.objects.exclude(action="key.create").count()
    answer = send(program_for(teammate).client, sample)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert AuditEntry.objects.exclude(action="key.create").count() == deeds


def test_lists_hold_no_strangers_things(
    send: Callable[..., Any], teammate: User, program_for: Callable[[User], Caller]
) -> None:
    stranger = program_for(teammate)
    assert stranger.get("/api/v1/jobs").json()["items"] == []
    assert stranger.get("/api/v1/seeds").json()["items"] == []
    assert [voice["name"] for voice in stranger.get("/api/v1/voices").json()["items"]] == ["Ready"]
    assert [key["name"] for key in stranger.get("/api/v1/keys").json()["items"]] == ["test"]


def test_an_administrator_sees_every_job(
    owner: User, administrator: User, make_job: Callable[..., Job], program_for: Callable[[User], Caller]
) -> None:
    job = make_job(owner)
    root = program_for(administrator)
    assert [line["owner_name"] for line in root.get("/api/v1/jobs").json()["items"]] == ["alice"]
    assert root.get(f"/api/v1/jobs/{job.pk}").status_code == 200


def test_a_csrf_token_opens_the_way(owner: User, voice: Voice) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.cookies["csrftoken"] = token = "a" * 32
    body = _json({"text": "Hello."})
    answer = client.post("/api/v1/jobs", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 202


@pytest.mark.parametrize("token", ["", "nonsense", "cwk_", "cwk_ab_cd"])
def test_a_malformed_key_is_refused(token: str, browser: Caller) -> None:
    assert browser.get("/api/v1/jobs", Authorization=f"Bearer {token}").status_code == 401


def test_a_revoked_key_and_one_of_an_inactive_user_are_refused(program: Caller, owner: User) -> None:
    assert program.get("/api/v1/system").status_code == 200
    owner.is_active = False
    owner.save()
    assert program.get("/api/v1/system").status_code == 401
    owner.is_active = True
    owner.save()
    keys.revoke(ApiKey.objects.get(user=owner), by=owner, address=None)
    assert program.get("/api/v1/system").status_code == 401


def test_a_voice_that_may_be_used_may_not_be_changed(
    voice: Voice, owner: User, teammate: User, program_for: Callable[[User], Caller]
) -> None:
    shared = make_voice("Shared", owner=owner, shared=True)
    stranger = program_for(teammate)
    for one in (voice, shared):
        assert stranger.get(f"/api/v1/voices/{one.pk}").json()["editable"] is False
        assert stranger.patch(f"/api/v1/voices/{one.pk}", {"name": "Mine"}).status_code == 403
        assert stranger.delete(f"/api/v1/voices/{one.pk}").status_code == 403
    assert set(Voice.objects.present().values_list("name", flat=True)) == {"Ready", "Shared"}
