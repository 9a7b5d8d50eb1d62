"""Samples of a segment, whether it is finished or still being made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.audio import wav
from synthesis.models import Segment, User
from synthesis.outputs import store

BYTES_PER_SAMPLE = 2


def chunk(user: User, job_id: str, index: int, start: int, end: int) -> bytes | None:
    """A WAV of samples ``start`` to ``end``; None if they are not there yet, or not for this user."""
    segments = Segment.objects.visible_to(user).select_related("job")
    segment = segments.filter(job_id=job_id, index=index).first()
    if segment is None:
        return None
    samples = _read(segment, start, end)
    whole = samples is not None and len(samples) == (end - start) * BYTES_PER_SAMPLE
    return wav.wav_header(end - start) + samples if samples is not None and whole else None


def growing(segment: Segment) -> NDArray[np.float32]:
    """The samples so far, (N,), of a segment that is still being made."""
    try:
        pcm = _growing(segment).read_bytes()
    except FileNotFoundError:
        pcm = b""
    return wav.from_pcm16(np.frombuffer(pcm, "<i2", len(pcm) // BYTES_PER_SAMPLE))


def _growing(segment: Segment) -> Path:
    return store.open_path(store.growing_path(segment.job_id, segment.index, segment.job.attempt))


def _read(segment: Segment, start: int, end: int) -> bytes | None:
    try:
        if not segment.audio_path:
            return _part(_growing(segment), 0, start, end)
    except FileNotFoundError:  # finished between the query and now, or void
        segment.refresh_from_db(fields=["audio_path"])
    if not segment.audio_path:
        return None
    return _part(store.open_path(segment.audio_path), wav.HEADER_BYTES, start, end)


def _part(path: Path, offset: int, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset + start * BYTES_PER_SAMPLE)
        return file.read((end - start) * BYTES_PER_SAMPLE)
