"""The portal's own WAV files: mono, PCM16, a 44-byte header, tags behind the samples.

Same samples and tags, same bytes. Tags stand in a LIST/INFO chunk after the data, so that even a
reader that skips 44 bytes without looking hears the right thing.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from synthesis.audio.errors import AudioError, AudioProblem

SAMPLE_RATE_HZ = 24_000
HEADER_BYTES = 44
BLOCK_BYTES = 1 << 18
MAX_CHUNKS = 64

Check = Callable[[], None]
"""Called between blocks of samples; what it raises ends the work."""

INFO_KEYS: Mapping[str, bytes] = {
    "title": b"INAM",
    "artist": b"IART",
    "album": b"IPRD",
    "comment": b"ICMT",
    "copyright": b"ICOP",
    "date": b"ICRD",
    "genre": b"IGNR",
    "language": b"ILNG",
    "encoder": b"ISFT",
}
"""The tags RIFF has a name for. Others have no place in a WAV; put them into ``comment``."""

_INFO_NAMES = {code: key for key, code in INFO_KEYS.items()}


@dataclass(frozen=True, slots=True)
class WavLayout:
    """Where the samples of a mono PCM16 file stand."""

    sample_rate_hz: int
    data_offset: int
    data_bytes: int
    tags: Mapping[str, str]

    @property
    def sample_count(self) -> int:
        return self.data_bytes // 2

    @property
    def duration_s(self) -> float:
        return self.sample_count / self.sample_rate_hz


def go_on() -> None:
    """The check of those who never stop."""


def to_pcm16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Float in [-1, 1] to PCM16, shape kept: times 32768, half to even, clipped; no dither.

    Exact inverse of ``from_pcm16``, so a file read and written again is the same file. NaN becomes 0.
    """
    scaled = np.rint(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0) * np.float32(32768))
    pcm: NDArray[np.int16] = np.clip(scaled, -32768, 32767).astype("<i2")
    return pcm


def from_pcm16(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """PCM16 to float32 in [-1, 1), shape kept."""
    return pcm.astype(np.float32) / np.float32(32768)


def wav_header(sample_count: int, sample_rate_hz: int = SAMPLE_RATE_HZ, trailer_bytes: int = 0) -> bytes:
    """The 44 bytes before the samples of a mono PCM16 file; ``trailer_bytes`` of chunks follow the data.

    Raises ValueError if the file would pass the 4 GiB of RIFF.
    """
    data_bytes = sample_count * 2
    riff_bytes = HEADER_BYTES - 8 + data_bytes + trailer_bytes
    if sample_count < 0 or riff_bytes > 0xFFFFFFFF:
        raise ValueError(f"{sample_count} samples do not fit a WAV file")
    fmt = struct.pack("<HHIIHH", 1, 1, sample_rate_hz, sample_rate_hz * 2, 2, 16)
    riff = b"RIFF" + struct.pack("<I", riff_bytes) + b"WAVE"
    return riff + b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", data_bytes)


def info_chunk(tags: Mapping[str, str]) -> bytes:
    """A LIST/INFO chunk (UTF-8) of the tags RIFF knows, in a fixed order; empty if there are none."""
    body = b""
    for key, code in INFO_KEYS.items():
        if value := tags.get(key, ""):
            text = value.replace("\0", "").encode() + b"\0"
            body += code + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    return b"LIST" + struct.pack("<I", 4 + len(body)) + b"INFO" + body if body else b""


def write_wav(
    target: Path,
    samples: NDArray[np.float32],
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write mono float32 of shape (N,) to ``target`` as PCM16. The caller cares for temporary names and renames."""
    if samples.ndim != 1:
        raise ValueError(f"mono samples of shape (N,) expected, not {samples.shape}")
    trailer = info_chunk(tags or {})
    with target.open("wb") as file:
        file.write(wav_header(len(samples), sample_rate_hz, len(trailer)))
        file.write(to_pcm16(samples).tobytes())
        file.write(trailer)


def inspect_wav(source: Path) -> WavLayout:
    """Read the chunks of a mono PCM16 file without its samples. A file cut short counts as far as it goes.

    Raises AudioError: unreadable (no WAV), unsupported_format (WAV of another kind).
    """
    with source.open("rb") as file:
        return _inspect(file, source.stat().st_size)


def read_wav(source: Path) -> tuple[NDArray[np.float32], int]:
    """Samples (N,) in [-1, 1) and their rate in Hz, of a mono PCM16 file. Raises AudioError as ``inspect_wav``."""
    layout = inspect_wav(source)
    pcm = np.fromfile(source, "<i2", layout.sample_count, offset=layout.data_offset)
    return from_pcm16(pcm), layout.sample_rate_hz


def read_blocks(source: Path, block_samples: int = BLOCK_BYTES // 2) -> Iterator[NDArray[np.int16]]:
    """The PCM16 samples of a mono file in blocks, for work in bounded memory."""
    layout = inspect_wav(source)
    with source.open("rb") as file:
        file.seek(layout.data_offset)
        left = layout.sample_count
        while left > 0:
            block = np.frombuffer(file.read(min(left, block_samples) * 2), "<i2")
            if len(block) == 0:
                return
            left -= len(block)
            yield block


def join_wavs(
    sources: Sequence[Path],
    target: Path,
    *,
    pauses: int | Sequence[int] = 0,
    tags: Mapping[str, str] | None = None,
    check: Check = go_on,
) -> int:
    """Join mono PCM16 files of one rate, in order, in bounded memory; returns the number of samples written.

    ``pauses``: samples of digital silence between neighbours, one number for all or one for each gap.
    Raises ValueError (nothing to join, rates differ, gaps miscounted), AudioError as ``inspect_wav``.
    """
    layouts = [inspect_wav(source) for source in sources]
    if len({layout.sample_rate_hz for layout in layouts}) != 1:
        raise ValueError("files to join must exist and share one sample rate")
    gaps = [pauses] * (len(sources) - 1) if isinstance(pauses, int) else list(pauses)
    if len(gaps) != len(sources) - 1 or min(gaps, default=0) < 0:
        raise ValueError(f"{len(sources)} files have {len(sources) - 1} gaps, each 0 samples or more")
    total = sum(layout.sample_count for layout in layouts) + sum(gaps)
    trailer = info_chunk(tags or {})
    with target.open("wb") as file:
        file.write(wav_header(total, layouts[0].sample_rate_hz, len(trailer)))
        for source, gap in zip(sources, [*gaps, 0], strict=True):
            for block in read_blocks(source):
                check()
                file.write(block.tobytes())
            _write_silence(file, gap)
        file.write(trailer)
    return total


def _write_silence(file: BinaryIO, sample_count: int) -> None:
    left = sample_count * 2
    while left > 0:
        size = min(left, BLOCK_BYTES)
        file.write(bytes(size))
        left -= size


def _inspect(file: BinaryIO, size: int) -> WavLayout:
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise AudioError(AudioProblem.UNREADABLE, "no RIFF/WAVE header")
    rate_hz, data, tags = 0, (0, 0), dict[str, str]()
    for name, offset, length in _chunks(file, size):
        if name == b"fmt ":
            rate_hz = _rate_of(file.read(min(length, 16)))
        elif name == b"data":
            data = (offset, length - length % 2)
        elif name == b"LIST":
            tags.update(_tags_of(file.read(min(length, 1 << 20))))
    if not rate_hz or not data[0]:
        raise AudioError(AudioProblem.UNREADABLE, "no format or no data chunk")
    return WavLayout(rate_hz, data[0], data[1], tags)


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and length (as far as the file goes) of each chunk; the file stands at its body."""
    at = 12
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        length = int.from_bytes(header[4:], "little")
        yield header[:4], at + 8, min(length, size - at - 8)
        at += 8 + length + length % 2


def _rate_of(fmt: bytes) -> int:
    if len(fmt) < 16:
        raise AudioError(AudioProblem.UNREADABLE, "the format chunk is cut short")
    kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", fmt)
    if (kind, channels, bits) != (1, 1, 16) or rate_hz == 0:
        raise AudioError(AudioProblem.UNSUPPORTED_FORMAT, "not mono PCM16")
    return int(rate_hz)


def _tags_of(body: bytes) -> dict[str, str]:
    tags: dict[str, str] = {}
    at = 4 if body[:4] == b"INFO" else len(body)
    while at + 8 <= len(body):
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        if key := _INFO_NAMES.get(body[at : at + 4]):
            tags[key] = body[at + 8 : at + 8 + length].rstrip(b"\0").decode(errors="replace")
        at += 8 + length + length % 2
    return tags
