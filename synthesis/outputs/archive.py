"""Several stored files as one ZIP, made while it is sent."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file and its name in the archive."""

    path: Path
    name: str
    at: datetime.datetime


def blocks(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The archive piece by piece, with one block in memory. Audio does not shrink, so nothing is compressed."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # needs only write
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, entry.at.timetuple()[:6])
            info.file_size = entry.path.stat().st_size  # more than 4 GiB need other headers, written first
            with entry.path.open("rb") as source, archive.open(info, "w") as target:
                while block := source.read(BLOCK_BYTES):
                    target.write(block)
                    yield sink.drain()
    yield sink.drain()


class _Sink:
    """What zipfile writes to: it can neither seek nor tell, so nothing written is needed again."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, block: bytes) -> int:
        self._waiting += block
        return len(block)

    def flush(self) -> None:
        """Nothing is kept back."""

    def drain(self) -> bytes:
        """What was written since the last call."""
        block = bytes(self._waiting)
        self._waiting.clear()
        return block
