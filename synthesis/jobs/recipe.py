"""Everything, beside the engine, that decides the samples of a job: stored with it and inside its files."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from synthesis.models import Job, Segment, Voice
from synthesis.vocabulary import Command

SCHEMA = 1
PAUSE_BETWEEN_SEGMENTS_S = 0.18
PAUSE_BETWEEN_PIECES_S = 0.06
"""Inside a segment that was made in smaller pieces: a breath, not the end of a sentence."""


def build(job: Job, segments: list[Segment]) -> dict[str, Any]:
    """The recipe as it was carried out; segments need ``voice``."""
    return {
        "schema": SCHEMA,
        "portal": settings.VERSION,
        "text": job.text,
        "prompt_text": job.prompt_text,
        "instruct": job.instruct,
        "mode": job.mode,
        "seed": job.seed,
        "speed": job.speed,
        "voice": _voice(job.voice_id, job.voice.name, job.voice.sha256, job.voice.preset),
        "pause_s": PAUSE_BETWEEN_SEGMENTS_S,
        "piece_pause_s": PAUSE_BETWEEN_PIECES_S,
        "segments": [_segment(segment) for segment in segments],
        "steering": _steering(job),
    }


def of(job: Job) -> dict[str, Any]:
    """The stored recipe of an ended job; of one that never came to its end, what its segments were made with."""
    return job.recipe or build(job, list(job.segments.select_related("voice")))


def _steering(job: Job) -> list[dict[str, Any]]:
    """What was applied in the middle, in order, and from which segment on. Segments hold what came of it."""
    controls = list(job.controls.exclude(applied_at=None).exclude(from_segment=None).order_by("id"))
    voices = [control.value for control in controls if control.command == Command.VOICE]
    sha256s: dict[Any, str] = dict(Voice.objects.filter(pk__in=voices).values_list("pk", "sha256"))
    return [
        {
            "command": control.command,
            "value": control.value,
            "from_segment": control.from_segment,
            "redo": control.redo,
            **({"voice_sha256": sha256s[control.value]} if control.command == Command.VOICE else {}),
        }
        for control in controls
    ]


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "index": segment.index,
        "text": segment.text,
        "pieces": segment.pieces,
        "language": segment.language,
        "seed": segment.seed,
        "speed": segment.speed,
        "instruct": segment.instruct,
        "voice_sha256": segment.voice.sha256 if segment.voice else "",
        "sha256": segment.sha256,
    }


def _voice(pk: str, name: str, sha256: str, preset: str) -> dict[str, str]:
    return {"id": pk, "name": name, "sha256": sha256, "preset": preset}
