"""Standard output and error at the level of the operating system, for what libraries in C print."""

from __future__ import annotations

import codecs
import ctypes
import logging
import os

from synthesis.outputs import store

logger = logging.getLogger(__name__)

NAMES = {1: "out", 2: "err"}
_BLOCK_BYTES = 1 << 16


class Spool:
    """Lets one descriptor of this process write into files of a job, and hands over what arrives there.

    Files, not a pipe: who writes never waits. A library that prints more than a pipe holds while it has Python's lock
    would wait for a reader that waits for that lock. And what a dying process said last is still there afterwards.
    """

    def __init__(self, job_id: str, attempt: int, target: int) -> None:
        """``target``: 1 or 2. Raises OSError."""
        self._job_id, self._attempt, self._target = job_id, attempt, target
        self._number = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._retired: tuple[int, str] | None = None
        self._read_bytes = 0
        self.real = os.dup(target)
        """Where the descriptor led before."""
        try:
            self._current = self._open()
        except OSError:
            os.close(self.real)
            raise
        os.dup2(self._current[0], target)

    def read(self) -> str:
        """What was written since the last call."""
        fresh = self._rest()
        if os.fstat(self._current[0]).st_size:
            full, self._current = self._current, self._next()
            fresh += self._more(full[0])
            self._retired = full if full is not self._current else None
        return self._decoder.decode(fresh)

    def close(self) -> str:
        """Lead the descriptor back; the last that was written."""
        os.dup2(self.real, self._target)
        os.close(self.real)
        fresh = self._rest()
        self._retired = self._current
        return self._decoder.decode(fresh + self._rest(), final=True)

    def _next(self) -> tuple[int, str]:
        """A fresh file each time: what lies in one is exactly what is not in the log yet.

        The old one is looked at once more the next time, for a write that was under way.
        """
        try:
            fresh = self._open()
        except OSError as problem:
            logger.warning("Output goes on in the old file: %s", problem)
            return self._current
        os.dup2(fresh[0], self._target)
        return fresh

    def _open(self) -> tuple[int, str]:
        self._number += 1
        return store.open_spool(self._job_id, self._attempt, f"{NAMES[self._target]}-{self._number:08d}")

    def _rest(self) -> bytes:
        if self._retired is None:
            return b""
        descriptor, path = self._retired
        self._retired = None
        fresh = self._more(descriptor)
        self._read_bytes = 0
        os.close(descriptor)
        store.remove(path)
        return fresh

    def _more(self, descriptor: int) -> bytes:
        """From where one stopped to the end. By position: the descriptor's own offset is where writers append."""
        blocks = []
        while block := os.pread(descriptor, _BLOCK_BYTES, self._read_bytes):
            self._read_bytes += len(block)
            blocks.append(block)
        return b"".join(blocks)


def last_words(job_id: str) -> list[tuple[float, int, str]]:
    """Raw output of workers that died at this job, then forgotten: when, to which descriptor, what."""
    found = []
    targets = {name: target for target, name in NAMES.items()}
    for relative in store.spools(job_id):
        path = store.open_path(relative)
        target = targets[path.name.split(".")[1].split("-")[1]]
        found.append((path.stat().st_mtime, target, path.read_bytes().decode("utf-8", "replace")))
        store.remove(relative)
    return found


def flush_c() -> None:
    """Write what C's own buffers hold; they only empty by themselves when they are full."""
    ctypes.CDLL(None).fflush(None)
