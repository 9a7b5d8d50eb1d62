"""What a worker holds in memory, how it gives it back, and when it has grown too much."""

from __future__ import annotations

import ctypes
import gc
import sys
from dataclasses import dataclass

import psutil

from synthesis.engines.base import Engine

MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes: of the process (its own, without mapped files such as the database), and of its engine on a device."""

    resident: int
    device: int = 0


def footprint(engine: Engine | None) -> Footprint:
    memory = psutil.Process().memory_info()
    own = memory.rss - getattr(memory, "shared", 0)  # Linux alone tells what is shared
    return Footprint(own, engine.device_bytes() if engine else 0)


def outgrown(first: Footprint, now: Footprint, limit_mb: int) -> int | None:
    """By how many bytes the one that grew more has grown, if that is over the limit; 0 as limit: never."""
    grown = max(now.resident - first.resident, now.device - first.device)
    return grown if limit_mb and grown > limit_mb * MIB else None


def give_back() -> None:
    """Hand freed memory back to the system.

    glibc keeps it for the next allocation, so a process looks as large as it ever was.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)
