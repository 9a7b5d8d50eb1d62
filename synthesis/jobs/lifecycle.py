"""The only writer of a job's status.

Every change is one conditional UPDATE together with its event (``events.record``): who comes second
finds that the condition no longer holds, and does nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from synthesis.errors import NotNow, RateLimited
from synthesis.events import facts, push
from synthesis.events.record import record
from synthesis.jobs import creation, limits, queue, turns
from synthesis.jobs.creation import Draft
from synthesis.jobs.lapsing import lapse
from synthesis.jobs.spec import JobSpec
from synthesis.jobs.states import sources_of
from synthesis.models import Batch, Job, User
from synthesis.vocabulary import ENDED, Status

MAX_ATTEMPTS = 3
"""A job at whose one segment this many workers died is poison: it fails instead of killing the next one."""


class LeaseLost(Exception):
    """Another worker has the job now; whatever this one still holds of it is void."""


class CancelAsked(Exception):
    """Somebody asked to cancel before the job was completed: the cancel holds."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to write to a job, valid while attempt and worker are the job's own."""

    job_id: str
    attempt: int
    worker: str

    def rows(self) -> QuerySet[Job]:
        """The job, if the claim still holds."""
        return Job.objects.filter(pk=self.job_id, attempt=self.attempt, worker=self.worker, status=Status.RUNNING)


def submit(
    spec: JobSpec, *, owner: User, address: str | None, batch: Batch | None = None, idempotency_key: str | None = None
) -> Job:
    """Store a job and hand it to the queue. The same ``idempotency_key`` gives the first job again."""
    draft = creation.from_spec(spec, owner=owner, batch=batch, idempotency_key=idempotency_key)
    return enter(draft, address=address)


def enter(draft: Draft, *, address: str | None) -> Job:
    """Store a drafted job and hand it to the queue. The same idempotency key gives the first job again."""
    try:
        with transaction.atomic():
            limits.check_room(draft.job.owner, 1)
            job = creation.store(draft)
            creation.announce([draft], address=address)
    except (IntegrityError, RateLimited):
        first = creation.earlier(draft.job.owner, draft.job.idempotency_key)
        if first is None:
            raise
        return first
    _hand_over([job])
    return Job.objects.select_related("voice").get(pk=job.pk)


def submit_batch(
    specs: Sequence[JobSpec], *, owner: User, address: str | None, title: str, idempotency_key: str | None = None
) -> tuple[Batch, list[Job]]:
    """Several jobs of one submission: all of them or none.

    The first job carries the ``idempotency_key``; raises IntegrityError if that was used before.
    """
    with transaction.atomic():
        limits.check_room(owner, len(specs))
        batch = Batch.objects.create(owner=owner, title=" ".join(title[:240].split())[:120])
        keys = [idempotency_key, *[None] * (len(specs) - 1)]
        drafts = [
            creation.from_spec(spec, owner=owner, batch=batch, idempotency_key=key)
            for spec, key in zip(specs, keys, strict=True)
        ]
        stored = [creation.store(draft) for draft in drafts]
        creation.announce(drafts, address=address)
    _hand_over(stored)
    return batch, list(batch.jobs.select_related("voice").order_by("created_at", "id"))


def _hand_over(jobs: Sequence[Job]) -> None:
    """After commit: a worker that is faster than we are must find the rows."""
    for job in jobs:
        queue.enqueue(job.pk, job.attempt)
    push.queue_changed()


def claim_next(worker: str) -> Claim | None:
    """Take the job whose turn it is; None if nothing waits."""
    while turn := turns.look():
        now = timezone.now()
        lease_until = now + datetime.timedelta(seconds=settings.LEASE_S)
        if turns.take(
            turn, status=Status.RUNNING, worker=worker, lease_until=lease_until, started_at=now, eta_s=None
        ):  # else another worker was faster: look again
            push.queue_changed()
            return Claim(turn.job_id, turn.attempt, worker)
    return None


def renew(claim: Claim) -> bool:
    """Keep the job for another while; false if it was lost."""
    until = timezone.now() + datetime.timedelta(seconds=settings.LEASE_S)
    return claim.rows().update(lease_until=until) == 1


def note(
    claim: Claim, happened: Sequence[facts.Fact], at: Sequence[datetime.datetime] | None = None, **changes: Any
) -> None:
    """Store events of a job one works on; raises LeaseLost."""
    if record(claim.rows(), claim.job_id, happened, at=at, **changes) is None:
        raise LeaseLost(claim.job_id)


def complete(claim: Claim, fact: facts.Completed, **changes: Any) -> None:
    """The job is done; raises CancelAsked if it was accepted that it be cancelled, LeaseLost."""
    ended = {"progress": 1.0, "ended_at": timezone.now(), "eta_s": None, **changes}
    try:
        _leave(claim, Status.COMPLETED, fact, claim.rows().filter(cancel_asked_at=None), **ended)
    except LeaseLost:
        if claim.rows().exists():
            raise CancelAsked from None
        raise


def fail(claim: Claim, fact: facts.Failed, detail: str) -> None:
    _leave(
        claim,
        Status.FAILED,
        fact,
        ended_at=timezone.now(),
        eta_s=None,
        error_code=fact.code,
        error_stage=fact.stage,
        error_message=fact.message,
        error_detail=detail,
    )


def pause(claim: Claim, by: str) -> None:
    """The worker lets go of a job that somebody asked to pause."""
    _leave(claim, Status.PAUSED, facts.Paused(by=by), worker="", lease_until=None, eta_s=None)


def stop_cancelled(claim: Claim, by: str) -> None:
    """The worker lets go of a job that somebody asked to cancel."""
    _leave(claim, Status.CANCELLED, facts.Cancelled(by=by), ended_at=timezone.now(), eta_s=None)


def hand_back(claim: Claim) -> None:
    """The worker is being stopped: the job waits for the next one, with its finished segments."""
    fact = facts.Requeued(reason="worker_stopped", attempt=claim.attempt + 1)
    # Not counted as a failed attempt of the job: the fence moves, the limit of attempts is for workers that died.
    _leave(claim, Status.QUEUED, fact, attempt=F("attempt") + 1, worker="", lease_until=None)
    queue.enqueue(claim.job_id, claim.attempt + 1)


def _leave(claim: Claim, target: Status, fact: facts.Fact, where: QuerySet[Job] | None = None, **changes: Any) -> None:
    if not _change(claim.rows() if where is None else where, claim.job_id, fact, status=target, **changes):
        raise LeaseLost(claim.job_id)
    if settings.MAX_RUNNING_PER_USER:
        queue.top_up(1)  # the person's next job may have been passed over, and its ticket with it


def cancel_waiting(job_id: str, by: str) -> bool:
    """Cancel a job that no worker has; false if one has it (or it ended)."""
    waiting = Job.objects.filter(status__in=sources_of(Status.CANCELLED) - {Status.RUNNING})
    fact = facts.Cancelled(by=by)
    changes = {"status": Status.CANCELLED, "ended_at": timezone.now(), "eta_s": None}
    return _change(waiting, job_id, fact, **changes)


def pause_waiting(job_id: str, by: str) -> bool:
    """Pause a job that no worker has; false if one has it (or it ended)."""
    waiting = Job.objects.filter(status=Status.QUEUED)
    return _change(waiting, job_id, facts.Paused(by=by), status=Status.PAUSED, eta_s=None)


def resume(job: Job) -> None:
    """Put a paused job back into the queue; raises NotNow if it is not paused any more."""
    fact = facts.Requeued(reason="resumed", attempt=job.attempt + 1)
    paused = Job.objects.filter(status=Status.PAUSED, attempt=job.attempt)
    if not _change(
        paused, job.pk, fact, status=Status.QUEUED, attempt=job.attempt + 1, worker="", queued_at=timezone.now()
    ):
        raise NotNow(_("This job is not paused."))
    # After commit: a worker that is faster than we are must find the job queued.
    transaction.on_commit(lambda: queue.enqueue(job.pk, job.attempt + 1))


def take_from_dead_worker(job: Job, *, certain: bool = False) -> None:
    """Requeue a running job whose lease ended, or fail it if it has killed several workers.

    ``certain``: its worker is known to be dead, whatever the lease says.
    """
    lost = Job.objects.filter(status=Status.RUNNING, attempt=job.attempt, worker=job.worker)
    if not certain:
        lost = lost.filter(lease_until__lt=timezone.now())
    deaths = job.deaths + 1
    if deaths >= MAX_ATTEMPTS:
        message = f"{deaths} workers died at this job, the last one was {job.worker}."
        fact = facts.Failed(stage=job.stage, code="attempts_exhausted", message=message)
        _change(
            lost,
            job.pk,
            fact,
            status=Status.FAILED,
            deaths=deaths,
            ended_at=timezone.now(),
            error_code=fact.code,
            error_stage=fact.stage,
            error_message=message,
        )
        return
    requeued = facts.Requeued(reason="worker_lost", attempt=job.attempt + 1)
    if _change(
        lost,
        job.pk,
        requeued,
        status=Status.QUEUED,
        attempt=job.attempt + 1,
        deaths=deaths,
        worker="",
        lease_until=None,
    ):
        queue.enqueue(job.pk, job.attempt + 1)


def _change(where: QuerySet[Job], job_id: str, fact: facts.Fact, **changes: Any) -> bool:
    with transaction.atomic():
        if fact.status in ENDED:
            lapse(where, job_id)
        changed = record(where, job_id, [fact], **changes) is not None
        if changed:
            transaction.on_commit(push.queue_changed)
    return changed
