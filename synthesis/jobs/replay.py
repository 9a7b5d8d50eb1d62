"""A job run again from its recipe, and the verdict on whether its samples are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from synthesis.errors import NotNow
from synthesis.jobs import creation, lifecycle, recipe, submission, verdict
from synthesis.jobs.creation import Draft
from synthesis.jobs.verdict import Verdict
from synthesis.models import Job, Segment, User, Voice
from synthesis.outputs import store


def start(job: Job, *, by: User, address: str | None, verify: bool = True, idempotency_key: str | None = None) -> Job:
    """Submit a job again as it was made, changes in the middle included; raises NotNow, InvalidInput.

    Every segment carries what it was made with, so pauses and steering need no repeating. With ``verify`` the
    worker compares the samples at the end; there is nothing to compare if no segment had been finished.
    """
    submission.check_key(idempotency_key)
    first = creation.earlier(by, idempotency_key)
    if first is not None:
        return first
    if not job.has_ended:
        raise NotNow(
            _("Only a job that has ended can be replayed; this one is %(status)s.")
            % {"status": job.get_status_display()}
        )
    segments = list(job.segments.select_related("voice"))
    require_voices((segment.voice or job.voice for segment in segments), by)
    judged = verify and verdict.can_judge(recipe.of(job))
    again = creation.same_again(
        job, owner=by, replay_of=job, verdict=verdict.PENDING if judged else None, idempotency_key=idempotency_key
    )
    rows = [creation.to_be_made(segment) for segment in segments]
    detail = {"replay_of": job.pk, "verify": judged}
    return lifecycle.enter(Draft(again, rows, by=by, action="job.replay", detail=detail), address=address)


def require_voices(voices: Iterable[Voice], user: User) -> None:
    """Raise NotNow unless ``user`` may use all these voices and their recordings are there."""
    needed = {voice.pk: voice for voice in voices}
    usable = set(Voice.objects.visible_to(user).filter(pk__in=needed).values_list("pk", flat=True))
    for pk, voice in needed.items():
        if pk not in usable:
            raise NotNow(_("The voice “%(voice)s” was deleted or is not shared any more.") % {"voice": voice.name})
        if not store.exists(voice.path):
            raise NotNow(_("The recording of the voice “%(voice)s” is gone.") % {"voice": voice.name})


def judge(job: Job, made: dict[str, Any], segments: list[Segment]) -> Verdict | None:
    """The verdict on a finished job, whose recipe is ``made``; None if none was asked for.

    Voices are compared by their files as they are now, not by what was noted when they were taken in.
    """
    original = Job.objects.filter(pk=job.replay_of_id).first() if job.verdict else None
    if original is None:
        return None
    heard = {voice.pk: _file_hash(voice) for voice in {segment.voice or job.voice for segment in segments}}
    pieces = [
        {**piece, "voice_sha256": heard[segment.voice_id or job.voice_id]}
        for piece, segment in zip(made["segments"], segments, strict=True)
    ]
    return verdict.judge(recipe.of(original), {**made, "segments": pieces})


def _file_hash(voice: Voice) -> str:
    """Empty if the recording is gone."""
    return store.sha256(voice.path) if store.exists(voice.path) else ""
