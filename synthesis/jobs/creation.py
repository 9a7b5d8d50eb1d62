"""How a job comes into being: from a request, from a job that is replayed, from one of which a segment is redone.

A *draft* holds rows that are not stored yet; ``lifecycle.enter`` stores it and hands the job to the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from synthesis.accounts import audit
from synthesis.errors import InvalidInput
from synthesis.events import facts
from synthesis.events.record import record
from synthesis.jobs import board
from synthesis.jobs.seeds import segment_seed
from synthesis.jobs.spec import JobSpec
from synthesis.models import Batch, Job, Segment, User
from synthesis.text import segment as splitter

SEGMENT_IS_MADE_WITH = ("index", "text", "pieces", "language", "start", "end", "seed", "voice", "instruct", "speed")
SEGMENT_HOLDS = ("sha256", "duration_s", "compute_s", "peaks", "finished_at")
"""Beside its audio file, once it is finished."""
JOB_IS_ASKED_FOR_WITH = ("voice", "label", "text", "prompt_text", "instruct", "mode", "seed", "speed", "format")


@dataclass(frozen=True, slots=True)
class Draft:
    """A job and its segments, to be stored; who asked for them and under which word the audit keeps it."""

    job: Job
    segments: Sequence[Segment]
    by: User
    action: str = "job.submit"
    detail: dict[str, Any] = field(default_factory=dict)
    happened: Sequence[facts.Fact] = ()
    """What is told after ``queued``."""


def from_spec(spec: JobSpec, *, owner: User, batch: Batch | None = None, idempotency_key: str | None = None) -> Draft:
    """A text cut into segments, each with its own seed; raises InvalidInput if there is nothing to say."""
    pieces = splitter.split(spec.text)
    if not pieces:
        problem = _("This text has nothing that can be spoken.")
        raise InvalidInput(problem, fields={"text": problem})
    asked = {name: getattr(spec, name) for name in JOB_IS_ASKED_FOR_WITH}
    job = Job(owner=owner, batch=batch, idempotency_key=idempotency_key, priority=spec.priority, **asked)
    segments = [
        Segment(
            index=piece.index,
            text=piece.text,
            language=piece.language,
            start=piece.start,
            end=piece.end,
            seed=segment_seed(spec.seed, piece.index),
            voice=spec.voice,
            instruct=spec.instruct,
            speed=spec.speed,
        )
        for piece in pieces
    ]
    return Draft(job, segments, by=owner)


def same_again(job: Job, **more: Any) -> Job:
    """A job, not stored, with everything that was asked of ``job``."""
    return Job(**{name: getattr(job, name) for name in JOB_IS_ASKED_FOR_WITH}, **more)


def to_be_made(segment: Segment) -> Segment:
    """A segment, not stored and not made, that is to be made exactly as ``segment`` was."""
    return Segment(**{name: getattr(segment, name) for name in SEGMENT_IS_MADE_WITH})


def taken_over(segment: Segment, audio_path: str) -> Segment:
    """A segment, not stored, that is finished: ``audio_path`` holds the audio of ``segment``."""
    made = {name: getattr(segment, name) for name in (*SEGMENT_IS_MADE_WITH, *SEGMENT_HOLDS)}
    return Segment(**made, audio_path=audio_path)


def store(draft: Draft) -> Job:
    """Write a job with its segments, in the caller's transaction."""
    job = draft.job
    finished = [segment for segment in draft.segments if segment.audio_path]
    job.queued_at = timezone.now()
    job.segments_total, job.segments_done = len(draft.segments), len(finished)
    job.compute_s = sum(segment.compute_s or 0.0 for segment in finished)
    if job.revision_of_id:
        job.version = _next_version(job.revision_of_id)
    job.save(force_insert=True)
    for segment in draft.segments:
        segment.job = job
    Segment.objects.bulk_create(draft.segments)
    return job


def announce(drafts: Sequence[Draft], *, address: str | None) -> None:
    """The first events and the audit entry of each stored job; all places in the queue come from one look."""
    now = board.read()
    for draft in drafts:
        job = draft.job
        position, eta_s = now.place_of(job.pk)
        queued = facts.Queued(seed=job.seed, position=position, eta_s=eta_s)
        record(Job.objects.all(), job.pk, [queued, *draft.happened], eta_s=eta_s)
        detail = {"seed": job.seed, **draft.detail}
        audit.record(draft.action, actor=draft.by, target=job, address=address, detail=detail)


def earlier(owner: User, idempotency_key: str | None) -> Job | None:
    """The job that the same ``idempotency_key`` made before."""
    if not idempotency_key:
        return None
    rows = Job.objects.select_related("voice", "batch")
    return rows.filter(owner=owner, idempotency_key=idempotency_key).first()


def _next_version(first_id: str) -> int:
    """Locks the lineage's first job: of two who redo at once, each gets a number of its own."""
    lineage = Job.objects.lineage(Job.objects.select_for_update().get(pk=first_id))
    newest: int = lineage.aggregate(newest=Max("version"))["newest"]
    return newest + 1
