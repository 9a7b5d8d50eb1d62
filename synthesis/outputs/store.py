"""The only writer of files: audio under a temporary name first, renamed when whole; logs by appending.

Names are made by us alone and relative to the media directory; nothing a person typed becomes a path.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

_BLOCK_BYTES = 1 << 20
_SCRATCH_GRACE_S = 60.0
"""Between the making of a scratch directory and its lock lies a moment."""


def voice_path(voice_id: str) -> str:
    return f"voices/{voice_id[:2]}/{voice_id}.wav"


def segment_path(job_id: str, index: int, attempt: int) -> str:
    """With the attempt: a worker thought dead may still write, but never over its successor's file."""
    return f"segments/{job_id[:2]}/{job_id}/{index:05d}-{attempt}.wav"


def growing_path(job_id: str, index: int, attempt: int) -> str:
    """The samples so far of a segment that is being made, PCM16 without a header (worker/early.py)."""
    return f"segments/{job_id[:2]}/{job_id}/{index:05d}-{attempt}.pcm"


def output_path(job_id: str, name: str) -> str:
    return f"outputs/{job_id[:2]}/{job_id}/{name}"


def log_path(job_id: str) -> str:
    """What engines said while they worked on a job, through all its attempts (outputs/log_lines.py)."""
    return f"logs/{job_id[:2]}/{job_id}.log"


def open_path(relative: str) -> Path:
    """Where a stored file lies; raises ValueError for anything outside the media directory."""
    root = Path(settings.MEDIA_ROOT)
    path = (root / relative).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{relative!r} is outside the media directory")
    return path


@contextlib.contextmanager
def writing(relative: str) -> Iterator[Path]:
    """A temporary path to write to; becomes ``relative`` if the block ends well, and is gone otherwise."""
    final = open_path(relative)
    final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = final.with_name(f".{secrets.token_hex(6)}-{final.name}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o600)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


def append(relative: str, content: str | bytes) -> None:
    """Add to the end of a file, in one write if the system allows; raises OSError."""
    path = _with_parent(relative)
    with open(path, "ab", opener=_private) as file:
        file.write(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))


def open_spool(job_id: str, attempt: int, name: str) -> tuple[int, str]:
    """A new file for raw output that is not in the log yet: its descriptor (append, read) and its path."""
    relative = f"logs/{job_id[:2]}/{job_id}.{attempt:04d}-{name}.raw"
    path = _with_parent(relative)
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), relative


def spools(job_id: str) -> list[str]:
    """Raw output that never reached the log, because the worker that had it died; in order."""
    directory = open_path(log_path(job_id)).parent
    return sorted(f"logs/{job_id[:2]}/{path.name}" for path in directory.glob(f"{job_id}.*.raw"))


def _with_parent(relative: str) -> Path:
    path = open_path(relative)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def adopt(source: str, target: str) -> None:
    """Let ``target`` hold the same bytes as ``source``; either may be removed without harm to the other.

    Stored files are replaced, never changed, so a hard link is a copy. Raises FileNotFoundError.
    """
    old, new = open_path(source), _with_parent(target)
    try:
        new.hardlink_to(old)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        with writing(target) as temporary:
            shutil.copyfile(old, temporary)


def exists(relative: str) -> bool:
    return open_path(relative).is_file()


def sha256(relative: str) -> str:
    """SHA-256 of a stored file."""
    digest = hashlib.sha256()
    with open_path(relative).open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def remove(relative: str) -> None:
    open_path(relative).unlink(missing_ok=True)


def keep_only(job_id: str, named: set[str]) -> None:
    """Remove what lies in a job's directories and is not ``named``: left there by a process that was killed."""
    for kind in ("segments", "outputs"):
        directory = f"{kind}/{job_id[:2]}/{job_id}"
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(open_path(directory)):
                if f"{directory}/{name}" not in named:
                    remove(f"{directory}/{name}")


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A private directory for the time of the block, locked: the lock says that its process lives."""
    directory = _scratch_root() / secrets.token_hex(8)
    directory.mkdir(mode=0o700)
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def clear_scratch() -> None:
    """Remove the scratch directories of processes that were killed."""
    for directory in _scratch_root().iterdir():
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            lock = os.open(directory, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(lock).st_mtime > _SCRATCH_GRACE_S:
                    shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)


def _scratch_root() -> Path:
    root = Path(settings.DATA_DIR) / "scratch"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root
