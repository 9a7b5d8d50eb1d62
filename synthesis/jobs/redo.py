"""One segment made again, with another seed, text, speed, instruction or voice.

Of a paused job the segment is reset in place and made when the job goes on. A completed job stays as it is: a new
job is made, the next *version*, which takes over all other segments as they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from synthesis.accounts import audit
from synthesis.errors import InvalidInput, NotNow
from synthesis.events import facts
from synthesis.events.record import record
from synthesis.jobs import creation, lifecycle, replay, spec
from synthesis.jobs.creation import Draft
from synthesis.jobs.seeds import next_seed, segment_seed
from synthesis.jobs.spec import SegmentWish
from synthesis.models import Job, Segment, User
from synthesis.outputs import store
from synthesis.text.language import SPOKEN, detect
from synthesis.vocabulary import Status

TAKEN_OVER = 0
"""The attempt in the names of files that come from an earlier version; a job's own attempts begin with 1."""


@dataclass(frozen=True, slots=True)
class Redo:
    """What came of it: the job in which the segment will be made, and how it will be made."""

    job: Job
    fact: facts.Redone


def ask(job: Job, index: int, raw: Mapping[str, object], *, by: User, address: str | None) -> Redo:
    """Have a finished segment made again; raises NotNow, or InvalidInput naming the fields."""
    if job.status not in {Status.COMPLETED, Status.PAUSED}:
        raise NotNow(
            _("Only a segment of a completed or a paused job can be made again; this one is %(status)s.")
            % {"status": job.get_status_display()}
        )
    segments = list(job.segments.select_related("voice"))
    old = _finished(segments, index)
    wish = spec.segment_wish(raw, user=by, longest=len(old.text))
    new = creation.to_be_made(old)
    seed = next_seed(job.seed, index, _seeds_of(job, index)) if wish.seed is None else wish.seed
    _apply(wish, new, segment_seed(seed, index))
    replay.require_voices([new.voice or job.voice], by)
    fact = facts.Redone(
        index=index,
        by=by.get_username(),
        seed=seed,
        text=new.text,
        speed=new.speed,
        instruct=new.instruct,
        voice=new.voice_id or job.voice_id,
        changed=_changed(old, new),
        source=job.pk,
    )
    if job.status == Status.PAUSED:
        return Redo(_reset(job, old, new, fact, by, address), fact)
    return Redo(_next_version(job, segments, new, fact, by, address), fact)


def _finished(segments: list[Segment], index: int) -> Segment:
    segment = next((segment for segment in segments if segment.index == index), None)
    if segment is None:
        unknown = _("This job has the segments 0 to %(last)s.") % {"last": len(segments) - 1}
        raise InvalidInput(unknown, fields={"index": unknown})
    if not segment.audio_path:
        unmade = _("This segment has not been made yet: steer the job instead.")
        raise InvalidInput(unmade, fields={"index": unmade})
    return segment


def _seeds_of(job: Job, index: int) -> set[int]:
    """Seeds with which a segment was made in any version."""
    lineage = Job.objects.lineage(job)
    return set(Segment.objects.filter(job__in=lineage, index=index).values_list("seed", flat=True))


def _apply(wish: SegmentWish, segment: Segment, seed: int) -> None:
    """Change a segment that is not stored yet. Its place in the job's text stays, whatever is spoken there."""
    segment.seed = seed
    if wish.text is not None:
        language = detect(wish.text)
        segment.text, segment.pieces = wish.text, None
        segment.language = language.value if language in SPOKEN else segment.language
    if wish.speed is not None:
        segment.speed = wish.speed
    if wish.instruct is not None:
        segment.instruct = wish.instruct
    if wish.voice is not None:
        segment.voice = wish.voice


def _changed(old: Segment, new: Segment) -> list[str]:
    names = {"seed": "seed", "text": "text", "speed": "speed", "instruct": "instruct", "voice": "voice_id"}
    return [name for name, column in names.items() if getattr(old, column) != getattr(new, column)]


def _reset(job: Job, old: Segment, new: Segment, fact: facts.Redone, by: User, address: str | None) -> Job:
    """Back to what is still to be made; raises NotNow if the job went on meanwhile."""
    columns = (*creation.SEGMENT_IS_MADE_WITH, *creation.SEGMENT_HOLDS, "audio_path")
    with transaction.atomic():
        # The path in the condition: of two who redo at once, one finds the segment reset.
        finished = Segment.objects.filter(pk=old.pk, audio_path=old.audio_path)
        reset = finished.update(**{name: getattr(new, name) for name in columns})
        done = job.segments.exclude(audio_path="").count()
        if not reset or record(Job.objects.filter(status=Status.PAUSED), job.pk, [fact], segments_done=done) is None:
            raise NotNow(_("The job has changed meanwhile."))
        audit.record("job.redo", actor=by, target=job, address=address, detail={"index": fact.index, "seed": fact.seed})
    store.remove(old.audio_path)  # after the commit: until then it is the segment's
    return Job.objects.select_related("voice").get(pk=job.pk)


def _next_version(
    job: Job, segments: list[Segment], new: Segment, fact: facts.Redone, by: User, address: str | None
) -> Job:
    """A new job of the same owner whose other segments are finished from the start."""
    version = creation.same_again(job, owner=job.owner, priority=job.priority, revision_of=job.revision_of or job)
    detail: dict[str, Any] = {"index": fact.index, "redo_of": job.pk, "seed": fact.seed}
    with contextlib.ExitStack() as undo:
        rows = [new if segment.index == new.index else _take_over(segment, version, undo) for segment in segments]
        draft = Draft(version, rows, by=by, action="job.redo", detail=detail, happened=[fact])
        stored = lifecycle.enter(draft, address=address)
        undo.pop_all()  # the files belong to a row now
    return stored


def _take_over(segment: Segment, version: Job, undo: contextlib.ExitStack) -> Segment:
    path = store.segment_path(version.pk, segment.index, TAKEN_OVER)
    try:
        store.adopt(segment.audio_path, path)
    except FileNotFoundError:
        raise NotNow(_("The audio of segment %(number)s is gone.") % {"number": segment.index + 1}) from None
    undo.callback(store.remove, path)
    return creation.taken_over(segment, path)
