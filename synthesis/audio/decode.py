"""Foreign audio bytes to clean samples, by way of a child process that has little to lose.

The parent looks at magic bytes, hands over an open descriptor and reads records; every decoder
runs in the child (``decoder_child.py``), which is bounded in memory, time and what it may open.
"""

import io
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.audio.errors import AudioError, AudioProblem
from synthesis.audio.sniff import SNIFF_BYTES, Container, sniff

TARGET_RATE_HZ = 24_000
"""What every engine of the portal hears and speaks."""
MAX_BYTES = 25 << 20
WALL_CLOCK_S = 30.0
MAX_NOT_A_NUMBER = 0.01
"""Share of NaN samples up to which they are taken for scratches (and silenced)."""

ID3_HEADER_BYTES = 10

_CHILD = Path(__file__).with_name("decoder_child.py")
_DEMUXERS = {Container.WEBM: "matroska", Container.MP4: "mov"}
_HEADER = struct.Struct("<cI")


@dataclass(frozen=True, slots=True, eq=False)
class DecodedAudio:
    """Audio as the portal works with it, and what it was before."""

    samples: NDArray[np.float32]
    """Mono, shape (N,), finite, within [-1, 1], at ``sample_rate_hz``."""
    sample_rate_hz: int
    source_sample_rate_hz: int
    source_channels: int
    source_format: str
    """The container: a value of ``sniff.Container``."""
    source_codec: str
    """As FFmpeg names it, such as ``opus`` or ``pcm_s16le``."""

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


def decode(
    source: Path, *, max_duration_s: float, max_bytes: int = MAX_BYTES, wall_clock_s: float = WALL_CLOCK_S
) -> DecodedAudio:
    """Decode any audio people upload or browsers record to mono float32 at 24 kHz.

    Stops as soon as more than ``max_duration_s`` were decoded, whatever the header claims.
    Raises AudioError (see ``AudioProblem`` for the codes), OSError if ``source`` cannot be read.
    """
    with source.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise AudioError(AudioProblem.TOO_LARGE, f"{size} bytes, at most {max_bytes}")
        if size == 0:
            raise AudioError(AudioProblem.UNREADABLE, "the file is empty")
        container = _sniff_file(file)
        file.seek(0)
        # Interleaved stereo float32, a second to spare, and room for record headers.
        budget = int((max_duration_s + 1) * TARGET_RATE_HZ * 2 * 4) + (8 << 20)
        raw = _run_child(file.fileno(), container, max_duration_s, budget, wall_clock_s)
    blocks, fields = _parse(raw)
    return DecodedAudio(
        samples=_clean(blocks),
        sample_rate_hz=TARGET_RATE_HZ,
        source_sample_rate_hz=int(fields["rate_hz"]),
        source_channels=int(fields["channels"]),
        source_format=container.value,
        source_codec=str(fields["codec"]),
    )


def _sniff_file(file: io.FileIO) -> Container:
    """The container by its first bytes, or by those behind an ID3 tag, which stands before MP3, AAC and FLAC alike."""
    head = file.read(SNIFF_BYTES)
    if len(head) >= ID3_HEADER_BYTES and head.startswith(b"ID3"):
        # Four bytes of seven bits (ID3v2.4, 3.1).
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(ID3_HEADER_BYTES + size)
        behind = file.read(4)
        if behind == b"fLaC" or (len(behind) > 1 and behind[0] == 0xFF and behind[1] & 0xF6 == 0xF0):
            return sniff(behind)
    return sniff(head)


def _run_child(descriptor: int, container: Container, max_duration_s: float, budget: int, wall_clock_s: float) -> bytes:
    """All the child writes. Whatever happens, the child is gone when this returns."""
    demuxer = _DEMUXERS.get(container, container.value)
    child = subprocess.Popen(  # noqa: S603 -- our own interpreter and script; nothing of the file in the arguments
        [sys.executable, "-I", str(_CHILD), demuxer, repr(float(max_duration_s))],
        stdin=descriptor,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        start_new_session=True,
        cwd="/",
        env={"MALLOC_ARENA_MAX": "1"},
    )
    try:
        raw = _read_all(child, budget, time.monotonic() + wall_clock_s)
        status = child.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        raise AudioError(AudioProblem.DECODE_TIMEOUT, f"no end after {wall_clock_s:g} s") from None
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if status == -signal.SIGXCPU:
        raise AudioError(AudioProblem.DECODE_TIMEOUT, "the processor time for one file is used up")
    if status != 0:
        raise AudioError(AudioProblem.UNREADABLE, f"the decoder ended with status {status}")
    return raw


def _read_all(child: "subprocess.Popen[bytes]", budget: int, deadline: float) -> bytes:
    """Standard output of the child until it closes it, bounded in bytes and time."""
    if child.stdout is None:
        raise RuntimeError("the child was started without a pipe")
    descriptor = child.stdout.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    pieces: list[bytes] = []
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
            raise subprocess.TimeoutExpired(str(_CHILD), left_s)
        piece = os.read(descriptor, 1 << 20)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        budget -= len(piece)
        if budget < 0:
            raise AudioError(AudioProblem.UNREADABLE, "the decoder wrote more than it may")


def _parse(raw: bytes) -> tuple[list[NDArray[np.float32]], dict[str, Any]]:
    """Records to mono blocks and the closing fields. The child may have been taken over: trust nothing."""
    blocks: list[NDArray[np.float32]] = []
    at = 0
    while at + _HEADER.size <= len(raw):
        kind, size = _HEADER.unpack_from(raw, at)
        at += _HEADER.size
        if at + size > len(raw):
            break
        if kind == b"J":
            return blocks, _fields(raw[at : at + size])
        if kind not in (b"1", b"2") or size % (4 * int(kind)):
            break
        block = np.frombuffer(raw, np.dtype("<f4"), size // 4, at).reshape(-1, int(kind))
        # The plain mean, not the decoder's own down-mix: that one adds 3 dB to a voice recorded in stereo.
        blocks.append(block[:, 0] if kind == b"1" else block.mean(axis=1, dtype=np.float32))
        at += size
    raise AudioError(AudioProblem.UNREADABLE, "the decoder's answer is incomplete")


def _fields(payload: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(payload)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise AudioError(AudioProblem.UNREADABLE, "the decoder's answer makes no sense")
    if "error" in fields:
        known = fields["error"] in set(AudioProblem)
        code = AudioProblem(fields["error"]) if known else AudioProblem.UNREADABLE
        raise AudioError(code, str(fields.get("detail", "the decoder does not say why")))
    if not all(isinstance(fields.get(key), int) for key in ("rate_hz", "channels")) or "codec" not in fields:
        raise AudioError(AudioProblem.UNREADABLE, "the decoder's answer lacks fields")
    return fields


def _clean(blocks: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """One array, finite, within [-1, 1]. Raises AudioError(unreadable) if too much of it is not numbers."""
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if len(samples) == 0:
        raise AudioError(AudioProblem.UNREADABLE, "no samples could be decoded")
    broken = ~np.isfinite(samples)
    share = float(broken.mean())
    if share > MAX_NOT_A_NUMBER:
        raise AudioError(AudioProblem.UNREADABLE, f"{share:.0%} of the samples are not numbers")
    clean = np.where(broken, np.float32(0), samples).astype(np.float32, copy=False)
    return np.clip(clean, -1.0, 1.0)
