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

from synthesis.accounts import audit
from synthesis.errors import InvalidInput, NotNow
from synthesis.events import facts, push
from synthesis.events.record import record
from synthesis.jobs import board, queue
from synthesis.jobs.seeds import segment_seed
from synthesis.jobs.spec import JobSpec
from synthesis.jobs.states import sources_of
from synthesis.models import Batch, Job, Segment, User
from synthesis.text import segment as splitter
from synthesis.vocabulary import Status

MAX_ATTEMPTS = 3
"""A job at whose one segment this many workers died is poison: it fails instead of killing the next one."""


class LeaseLost(Exception):
    """Another worker has the job now; whatever this one still holds of it is void."""


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
    try:
        with transaction.atomic():
            job = _store(spec, owner=owner, address=address, batch=batch, idempotency_key=idempotency_key)
    except IntegrityError:
        first = Job.objects.filter(owner=owner, idempotency_key=idempotency_key).first() if idempotency_key else None
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
        batch = Batch.objects.create(owner=owner, title=" ".join(title[:240].split())[:120])
        keys = [idempotency_key, *[None] * (len(specs) - 1)]
        stored = [
            _store(spec, owner=owner, address=address, batch=batch, idempotency_key=key)
            for spec, key in zip(specs, keys, strict=True)
        ]
    _hand_over(stored)
    return batch, list(batch.jobs.select_related("voice").order_by("created_at", "id"))


def _store(spec: JobSpec, *, owner: User, address: str | None, batch: Batch | None, idempotency_key: str | None) -> Job:
    """A job with its segments and its first event, in the caller's transaction."""
    pieces = splitter.split(spec.text)
    if not pieces:
        problem = _("This text has nothing that can be spoken.")
        raise InvalidInput(problem, fields={"text": problem})
    job = Job(
        owner=owner,
        batch=batch,
        voice=spec.voice,
        idempotency_key=idempotency_key,
        text=spec.text,
        prompt_text=spec.prompt_text,
        instruct=spec.instruct,
        mode=spec.mode,
        seed=spec.seed,
        speed=spec.speed,
        priority=spec.priority,
        format=spec.format,
        queued_at=timezone.now(),
        segments_total=len(pieces),
    )
    job.save(force_insert=True)
    Segment.objects.bulk_create(_segments(job, pieces))
    position, eta_s = board.place_of(job.pk)
    record(Job.objects.all(), job.pk, [facts.Queued(seed=job.seed, position=position, eta_s=eta_s)], eta_s=eta_s)
    audit.record("job.submit", actor=owner, target=job, address=address, detail={"seed": job.seed})
    return job


def _hand_over(jobs: Sequence[Job]) -> None:
    """After commit: a worker that is faster than we are must find the rows."""
    for job in jobs:
        queue.enqueue(job.pk, job.attempt)
    push.queue_changed()


def claim_next(worker: str) -> Claim | None:
    """Take the job whose turn it is; None if nothing waits."""
    while candidate := Job.objects.in_turn().values_list("pk", "attempt").first():
        job_id, attempt = candidate
        now = timezone.now()
        taken = Job.objects.filter(pk=job_id, attempt=attempt, status=Status.QUEUED).update(
            status=Status.RUNNING,
            worker=worker,
            lease_until=now + datetime.timedelta(seconds=settings.LEASE_S),
            started_at=now,
            eta_s=None,
        )
        if taken:  # else another worker was faster: look again
            push.queue_changed()
            return Claim(job_id, attempt, worker)
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
    _leave(claim, Status.COMPLETED, fact, progress=1.0, ended_at=timezone.now(), eta_s=None, **changes)


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


def _leave(claim: Claim, target: Status, fact: facts.Fact, **changes: Any) -> None:
    if record(claim.rows(), claim.job_id, [fact], status=target, **changes) is None:
        raise LeaseLost(claim.job_id)
    push.queue_changed()


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
    paused = Job.objects.filter(status=Status.PAUSED)
    if not _change(
        paused, job.pk, fact, status=Status.QUEUED, attempt=job.attempt + 1, worker="", queued_at=timezone.now()
    ):
        raise NotNow(_("This job is not paused."))
    queue.enqueue(job.pk, job.attempt + 1)


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
    changed = record(where, job_id, [fact], **changes) is not None
    if changed:
        push.queue_changed()
    return changed


def _segments(job: Job, pieces: Sequence[splitter.TextSegment]) -> list[Segment]:
    return [
        Segment(
            job=job,
            index=piece.index,
            text=piece.text,
            language=piece.language,
            start=piece.start,
            end=piece.end,
            seed=segment_seed(job.seed, piece.index),
            voice=job.voice,
            instruct=job.instruct,
            speed=job.speed,
        )
        for piece in pieces
    ]
