"""Whether a worker process of this data directory is dead for certain.

Each holds a lock on a file of its own, and the kernel lets go of the lock however the process ends. So a
killed worker is noticed at the next look instead of when its lease runs out, and no process id has to be
trusted, which may belong to another by now. A worker of another machine has no file here, and a frozen one
keeps its lock: those are noticed by the lease.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from django.conf import settings


def hold(worker: str) -> int:
    """Say that ``worker`` lives, for as long as this process does and leaves the returned file open."""
    path = _path(worker)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def is_dead(worker: str) -> bool:
    """True if it ran here and has ended; false if it lives or if nobody here can know."""
    try:
        file = os.open(_path(worker), os.O_RDWR)
    except (FileNotFoundError, IsADirectoryError):  # the latter: no name at all
        return False
    try:
        # Shared: two who look at the same moment do not take each other for the worker.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def forget(worker: str) -> None:
    """Clear away what a dead or leaving worker held."""
    _path(worker).unlink(missing_ok=True)


def _path(worker: str) -> Path:
    return Path(settings.RUN_DIR) / "workers" / worker
