"""Audio files over HTTP: parts of a file (Range), HEAD, attachments; only for who may hear them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from synthesis.accounts import keys
from synthesis.audio.wav import SAMPLE_RATE_HZ
from synthesis.models import Output, Segment, User, Voice
from synthesis.outputs import early, store
from synthesis.vocabulary import AudioFormat

BLOCK_BYTES = 64 * 1024
CONTENT_TYPES = {
    AudioFormat.WAV: "audio/wav",
    AudioFormat.FLAC: "audio/flac",
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.OGG: "audio/ogg",
}
PRIVATE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
MOST_SAMPLES = 60 * SAMPLE_RATE_HZ
"""Of one chunk."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """A file to send. ``sha256`` is its strong ETag: the same name never has other bytes."""

    path: Path
    size_bytes: int
    sha256: str
    name: str
    format: AudioFormat = AudioFormat.WAV


class Unsatisfiable(ValueError):
    """A range that lies outside the file."""


@require_safe
async def output(request: HttpRequest, name: str) -> HttpResponseBase:
    """A finished file of a job."""

    def find(user: User) -> StoredAudio | None:
        row = Output.objects.visible_to(user).filter(name=name).first()
        return _stored(row.path, row.sha256, row.name, AudioFormat(row.format)) if row else None

    return await _answer(request, find)


@require_safe
async def segment_audio(request: HttpRequest, job_id: str, index: int) -> HttpResponseBase:
    """A finished segment, to be heard while its job still runs; ``from`` and ``to``: some of its samples.

    Those may be heard before it is finished, and are the same after.
    """
    if "from" in request.GET:
        return await _chunk(request, job_id, index)

    def find(user: User) -> StoredAudio | None:
        row = Segment.objects.visible_to(user).filter(job_id=job_id, index=index).exclude(audio_path="").first()
        name = f"{job_id}-{index + 1:03d}.wav"
        return _stored(row.audio_path, row.sha256, name, AudioFormat.WAV) if row else None

    return await _answer(request, find)


async def _chunk(request: HttpRequest, job_id: str, index: int) -> HttpResponseBase:
    user = await listener(request)
    if user is None:
        return who_are_you(request)
    try:
        start, end = (int(request.GET[name]) for name in ("from", "to"))
    except (KeyError, ValueError):
        return HttpResponse(status=400)
    if not 0 <= start < end <= start + MOST_SAMPLES:
        return HttpResponse(status=400)
    body = await sync_to_async(early.chunk)(user, job_id, index, start, end)
    if body is None:
        raise Http404
    return HttpResponse(body, headers=PRIVATE, content_type=CONTENT_TYPES[AudioFormat.WAV])


@require_safe
async def voice_audio(request: HttpRequest, voice_id: str) -> HttpResponseBase:
    """The recording of a reference voice."""

    def find(user: User) -> StoredAudio | None:
        row = Voice.objects.visible_to(user).filter(pk=voice_id).first()
        return _stored(row.path, row.sha256, f"voice-{row.pk}.wav", AudioFormat.WAV) if row else None

    return await _answer(request, find)


async def _answer(request: HttpRequest, find: Callable[[User], StoredAudio | None]) -> HttpResponseBase:
    user = await listener(request)
    if user is None:
        return who_are_you(request)
    audio = await sync_to_async(find)(user)
    if audio is None:
        raise Http404
    return serve(request, audio)


async def listener(request: HttpRequest) -> User | None:
    """Whoever the API key or, without one, the login session stands for."""
    token = keys.bearer_token(request.headers.get("Authorization", ""))
    if token is not None:
        return await sync_to_async(keys.user_for)(token)
    user = await request.auser()
    return user if isinstance(user, User) else None


def who_are_you(request: HttpRequest) -> HttpResponse:
    """People are sent to the login page, programs and players are told."""
    if "text/html" in request.headers.get("Accept", "") and "Authorization" not in request.headers:
        return redirect_to_login(request.get_full_path())
    return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})


def _stored(relative: str, sha256: str, name: str, audio_format: AudioFormat) -> StoredAudio | None:
    path = store.open_path(relative)
    try:
        return StoredAudio(path, path.stat().st_size, sha256, name, audio_format)
    except FileNotFoundError:
        return None


def serve(request: HttpRequest, audio: StoredAudio) -> HttpResponseBase:
    """The file, or the part of it that was asked for (RFC 9110, section 14)."""
    etag = f'"{audio.sha256}"'
    headers = {**PRIVATE, "Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600", "ETag": etag}
    disposition = content_disposition_header("download" in request.GET, audio.name)
    if disposition:
        headers["Content-Disposition"] = disposition
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    wanted = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        wanted = ""
    try:
        part = _part(wanted, audio.size_bytes)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{audio.size_bytes}"})
    start, end = part or (0, audio.size_bytes)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{audio.size_bytes}"
    headers["Content-Length"] = str(end - start)
    return _body(request, audio, start, end, status=206 if part else 200, headers=headers)


def _body(
    request: HttpRequest, audio: StoredAudio, start: int, end: int, *, status: int, headers: dict[str, str]
) -> HttpResponseBase:
    content_type = CONTENT_TYPES[audio.format]
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers, content_type=content_type)
    return StreamingHttpResponse(
        _blocks(audio.path, start, end), status=status, headers=headers, content_type=content_type
    )


def _part(header: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a single range; None for the whole file, also for what we do not understand."""
    match = _RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last N bytes
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None  # not a range at all: to be ignored, not refused
    if start >= size or start >= end:
        raise Unsatisfiable(header)
    return start, end


async def _blocks(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """Read in a thread, block by block: a slow listener costs one block of memory, and never the event loop."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, start)
        left = end - start
        while left > 0 and (block := await asyncio.to_thread(file.read, min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block
    finally:
        file.close()
