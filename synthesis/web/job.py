"""The page of one job: everything it needs to go on live without asking for the past again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from synthesis.audio.peaks import of_speech
from synthesis.audio.wav import SAMPLE_RATE_HZ
from synthesis.events import wire
from synthesis.jobs import log as whole_log
from synthesis.jobs.recipe import PAUSE_BETWEEN_SEGMENTS_S
from synthesis.models import Job, Output, SavedSeed, Segment, User, Voice
from synthesis.outputs import early
from synthesis.vocabulary import AudioFormat, Command, Level, Status
from synthesis.web import kin
from synthesis.web.lines import lines_of
from synthesis.web.session import login_required, user_of
from synthesis.web.stages import stage_shares, stage_times

MAX_LOG_LINES = 1000
"""Shown at first; the whole log is a download away."""


@login_required
@require_safe
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    user = user_of(request)
    row = _find(user, job_id)
    line = lines_of([row])[0]
    segments = [_segment(row, segment) for segment in row.segments.all()]
    log = list(_log(row))
    moments = row.events.filter(Q(kind="progress") | ~Q(status=Status.RUNNING)).order_by("seq")
    context = {
        "job": row,
        "line": line,
        "segments": segments,
        **kin.context(row, user),
        "log": log,
        "log_levels": list(Level),
        "stages": stage_shares(row.stage, row.step, row.segments_total, row.status),
        "outputs": _outputs(row),
        "saved": SavedSeed.objects.filter(owner=user, seed=row.seed, voice=row.voice).exists(),
        "voices": Voice.objects.visible_to(user).order_by("owner_id", "name"),
        "state": {
            **line,
            "last_seq": row.last_seq,
            "segments": segments,
            "log": log,
            "stage_times": stage_times(
                (at.timestamp(), stage if kind == "progress" else None)
                for at, kind, stage in moments.values_list("at", "kind", "data__stage")
            ),
            "started_at": row.started_at.timestamp() if row.started_at else None,
            "controls": _controls(row),
            "pause_s": PAUSE_BETWEEN_SEGMENTS_S,
            "sample_rate_hz": SAMPLE_RATE_HZ,
        },
    }
    return render(request, "web/job.html", context)


@login_required
@require_safe
def log(request: HttpRequest, job_id: str) -> StreamingHttpResponse:
    """The whole log as plain text."""
    row = _find(user_of(request), job_id)
    blocks = whole_log.blocks(row.pk, get_language() or "en")
    response = StreamingHttpResponse(blocks, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="job-{row.pk}.log.txt"'
    return response


def _find(user: User, job_id: str) -> Job:
    row = Job.objects.visible_to(user).select_related("voice", "owner").filter(pk=job_id).first()
    if row is None:
        raise Http404
    return row


def _segment(row: Job, segment: Segment) -> dict[str, Any]:
    ready = bool(segment.audio_path)
    chunks = [] if ready else _chunks(row, segment)
    so_far = chunks[0] if chunks else {}
    return {
        "index": segment.index,
        "text": segment.text,
        "duration_s": so_far["end"] / SAMPLE_RATE_HZ if chunks else segment.duration_s,
        "peaks": segment.peaks if ready else so_far.get("peaks", []),
        "audio_url": wire.segment_url(row.pk, segment.index, segment.sha256) if ready else None,
        "chunks": chunks,
        "speed": segment.speed,
        "odd": segment.odd,
    }


def _chunks(row: Job, segment: Segment) -> list[dict[str, Any]]:
    """What can be heard already of a segment that is being made, as one chunk."""
    if row.status != Status.RUNNING:
        return []
    samples = early.growing(segment)
    if not len(samples):
        return []
    url = wire.chunk_url(row.pk, segment.index, 0, len(samples))
    return [{"start": 0, "end": len(samples), "peaks": of_speech(samples, SAMPLE_RATE_HZ), "audio_url": url}]


def _outputs(row: Job) -> list[Output]:
    """The newest version first; of each, the format that was asked for, then the others from exact to small."""
    others = list(AudioFormat)
    return sorted(
        row.outputs.all(),
        key=lambda one: (-one.version, one.format != row.format, others.index(AudioFormat(one.format))),
    )


def _controls(row: Job) -> list[dict[str, Any]]:
    """What was asked of a job, with the voices' names of today."""
    controls = list(row.controls.select_related("asked_by"))
    asked_voices = [control.value for control in controls if control.command == Command.VOICE]
    names = dict(Voice.objects.filter(pk__in=asked_voices).values_list("pk", "name"))
    return [
        {
            "command": control.command,
            "value": control.value,
            "voice_name": names.get(str(control.value), "") if control.command == Command.VOICE else "",
            "by": control.by,
            "redo": control.redo,
            "state": control.state,
            "from_segment": control.from_segment,
        }
        for control in controls
    ]


def _log(row: Job) -> Iterator[wire.Frame]:
    """The newest lines, oldest first, in the reader's language."""
    newest = row.events.exclude(kind__in=whole_log.SILENT_KINDS).order_by("-seq")[:MAX_LOG_LINES]
    language = get_language() or "en"
    for event in reversed(newest):
        yield wire.render(row.pk, wire.event_data(event), language)
