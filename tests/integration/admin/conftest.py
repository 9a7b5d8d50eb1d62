"""An administrator and a member in front of the admin, and one of everything inside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from synthesis.accounts import audit, keys
from synthesis.events import facts
from synthesis.events.record import record
from synthesis.models import AuditEntry, Batch, Job, Output, SavedSeed, User, Voice, WorkerState
from synthesis.vocabulary import Status
from tests.integration.api.conftest import plain_static

__all__ = ["plain_static"]


@pytest.fixture
def admin_browser(administrator: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(administrator)
    return client


@pytest.fixture
def everything(owner: User, voice: Voice, make_job: Callable[..., Job]) -> dict[str, Model]:
    """One object of each kind, by the name of its model."""
    batch = Batch.objects.create(owner=owner, title="Three takes")
    job = make_job(owner, status=Status.COMPLETED, batch=batch, fingerprint={"engine": "embedded"}, main_output="a.wav")
    output = Output.objects.create(
        job=job, format="wav", name="a.wav", path="a.wav", sha256="0" * 64, size_bytes=4, duration_s=1.0
    )
    record(Job.objects.all(), job.pk, [facts.Queued(seed=7, position=0, eta_s=None)])
    audit.record("job.submit", actor=owner, target=job, address="127.0.0.1", detail={"seed": 7})
    now = timezone.now()
    worker = WorkerState.objects.create(
        name="w1", host="h", pid=1, engine="embedded", state="busy", job_id=job.pk, started_at=now, heartbeat_at=now
    )
    key, _secret = keys.create(owner, "script", by=owner, address=None)
    event = job.events.get()
    entry = AuditEntry.objects.first()
    assert entry is not None
    made: list[Model] = [owner, voice, batch, job, output, event, entry, worker, key]
    made.append(SavedSeed.objects.create(owner=owner, seed=7, voice=voice))
    return {str(one._meta.model_name): one for one in made}
