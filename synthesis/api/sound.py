"""The sound of a job as the answer to the request that submitted it, piece by piece where the format has pieces."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from itertools import takewhile
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from synthesis.api.auth import ApiRequest
from synthesis.api.errors import body_of, respond
from synthesis.audio import wav
from synthesis.errors import NotNow, PortalError
from synthesis.events.hints import hint_for
from synthesis.jobs.recipe import PAUSE_BETWEEN_SEGMENTS_S
from synthesis.models import Job, Output, Segment
from synthesis.outputs import store
from synthesis.vocabulary import AudioFormat, Status

LOOK_EVERY_S = 0.2
LONGEST_WAIT_S = 600.0
"""For the next piece: as long as OpenAI's own clients wait. The job goes on after it."""
DELTA_BYTES = 32 * 1024
"""Of sound in one event: readers of lines have limits."""
PCM = "pcm"
CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    PCM: "audio/pcm",
}
KEPT_AS = {"opus": AudioFormat.OGG, PCM: AudioFormat.WAV}
"""Formats that are kept under another name."""


class JobFailed(PortalError):
    http_status = 500


class NotYet(PortalError):
    code = "timeout"
    http_status = 504


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is left with a request for ``when_spoken``."""

    job: Job
    response_format: str
    """One of CONTENT_TYPES."""
    as_events: bool
    """Server-sent events instead of the bare sound."""


class SpeechCall(ApiRequest):
    """Only a type, never made."""

    spoken: Spoken


def kept_as(response_format: str) -> AudioFormat:
    return KEPT_AS.get(response_format) or AudioFormat(response_format)


def when_spoken(view: Callable[..., HttpResponse]) -> Callable[..., Awaitable[HttpResponseBase]]:
    """Let a view that leaves ``Spoken`` with its request answer with the sound, waiting without holding a thread.

    Whoever hangs up while it waits changes nothing about the job.
    """

    @wraps(view)
    async def answer(request: SpeechCall, *args: Any, **kwargs: Any) -> HttpResponseBase:
        accepted = await sync_to_async(view)(request, *args, **kwargs)
        spoken: Spoken | None = getattr(request, "spoken", None)
        if spoken is None:
            return accepted
        response = await _answered(spoken)
        response["X-Job-Id"], response["X-Seed"] = spoken.job.pk, str(spoken.job.seed)
        return response

    return answer


async def _answered(spoken: Spoken) -> HttpResponseBase:
    in_pieces = spoken.response_format == PCM
    sound = _as_it_is_made(spoken.job.pk) if in_pieces else _whole(spoken.job.pk, kept_as(spoken.response_format))
    try:
        first = await anext(sound)
    except PortalError as problem:
        return respond(problem)
    if spoken.as_events:
        return _streaming(_events(first, sound), "text/event-stream")
    content_type = CONTENT_TYPES[spoken.response_format]
    if in_pieces:
        return _streaming(_bare(first, sound), content_type)
    return HttpResponse(first, content_type=content_type)  # all of it


def _streaming(pieces: AsyncIterator[bytes], content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["X-Accel-Buffering"] = "no"  # nginx would gather them
    return response


async def _bare(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """An exception breaks the connection: the one way to say, in the middle, that the sound is not whole."""
    yield first
    async for piece in rest:
        yield piece


async def _events(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        for delta in _deltas(first):
            yield delta
        async for piece in rest:
            for delta in _deltas(piece):
                yield delta
    except PortalError as problem:
        yield _event("speech.audio.error", **body_of(problem))
    else:
        yield _event("speech.audio.done")


def _deltas(piece: bytes) -> Iterator[bytes]:
    for start in range(0, len(piece), DELTA_BYTES):
        audio = base64.b64encode(piece[start : start + DELTA_BYTES]).decode()
        yield _event("speech.audio.delta", audio=audio)


def _event(kind: str, **data: Any) -> bytes:
    return f"data: {json.dumps({'type': kind, **data}, ensure_ascii=False)}\n\n".encode()


async def _as_it_is_made(job_id: str) -> AsyncIterator[bytes]:
    """PCM16 of each segment once it is finished, and the pauses in between: the samples of the kept files.

    Raises PortalError.
    """
    pause = bytes(2 * round(PAUSE_BETWEEN_SEGMENTS_S * wav.SAMPLE_RATE_HZ))
    sent, moved_at = 0, time.monotonic()
    while True:
        job = await _unless_lost(job_id)
        for path in await sync_to_async(_finished)(job_id, sent):
            samples = await sync_to_async(_content)(path, _samples)
            if sent:
                yield pause
            yield samples
            sent, moved_at = sent + 1, time.monotonic()
        if job.status == Status.COMPLETED:
            if sent < job.segments_total:
                raise _no_file()
            return
        await _pass_time(moved_at)


async def _whole(job_id: str, audio_format: AudioFormat) -> AsyncIterator[bytes]:
    """The file that is kept, in one piece. Raises PortalError."""
    began_at = time.monotonic()
    while (await _unless_lost(job_id)).status != Status.COMPLETED:
        await _pass_time(began_at)
    row = await Output.objects.filter(job=job_id, format=audio_format).order_by("-version").afirst()
    if row is None:
        raise _no_file()
    yield await sync_to_async(_content)(store.open_path(row.path), Path.read_bytes)


async def _unless_lost(job_id: str) -> Job:
    """The job as it is now. Raises PortalError if it can never be completed."""
    job = await Job.objects.only("status", "segments_total", "error_code", "error_message").aget(pk=job_id)
    if job.status == Status.FAILED:
        problem = JobFailed(job.error_message, hint=hint_for(job.error_code))
        problem.code = job.error_code
        raise problem
    if job.status == Status.CANCELLED:
        raise NotNow(_("The job was cancelled."))
    return job


async def _pass_time(since: float) -> None:
    """Another process does the work, and the database is where that is told. Raises NotYet."""
    if time.monotonic() - since > LONGEST_WAIT_S:
        hint = _("It goes on; ask for it under the id in the header X-Job-Id.")
        raise NotYet(_("The job is not done yet."), hint=hint)
    await asyncio.sleep(LOOK_EVERY_S)


def _finished(job_id: str, sent: int) -> list[Path]:
    """Files of the next segments, as far as none is missing."""
    rows = Segment.objects.filter(job=job_id, index__gte=sent).order_by("index").values_list("audio_path", flat=True)
    return [store.open_path(path) for path in takewhile(bool, rows)]


def _samples(path: Path) -> bytes:
    return b"".join(block.tobytes() for block in wav.read_blocks(path))


def _content(path: Path, read: Callable[[Path], bytes]) -> bytes:
    try:
        return read(path)
    except FileNotFoundError:
        raise _no_file() from None


def _no_file() -> PortalError:
    """An administrator has deleted it."""
    return NotNow(_("The job has no file in this format."))
