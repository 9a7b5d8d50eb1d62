"""This machine's processor, memory, disk and GPUs."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import TypedDict

import psutil
from django.conf import settings

from synthesis.monitor import gpus
from synthesis.monitor.gpus import Gpu

FRESH_S = 0.9
"""A reading this young is used again: the processor's share is measured between two looks, which must not be close."""


class Space(TypedDict):
    """Bytes."""

    used: int
    total: int


class Machine(TypedDict):
    """``cpu`` is a share of all cores, 0 to 1; ``disk`` is the one with the data directory."""

    name: str
    at: float
    cpu: float
    cores: int
    memory: Space
    disk: Space
    gpus: list[Gpu]


NAME = socket.gethostname()
CGROUP = Path("/sys/fs/cgroup")
_reading = threading.Lock()
_last: list[Machine] = []
_times: list[tuple[float, float]] = []
"""Busy and all seconds of all cores at the last look. psutil's own memory of it is one for each thread."""


def read() -> Machine:
    """How this machine is, at most ``FRESH_S`` ago."""
    with _reading:
        if not _last or time.time() - _last[0]["at"] > FRESH_S:
            _last[:] = [_look()]
        return _last[0]


def _look() -> Machine:
    disk = psutil.disk_usage(str(settings.DATA_DIR))
    return Machine(
        name=NAME,
        at=round(time.time(), 3),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory=_memory(CGROUP),
        # What is kept for the system's administrator counts as used: we cannot write there.
        disk=Space(used=disk.total - disk.free, total=disk.total),
        gpus=gpus.read(),
    )


def _cpu() -> float:
    """Share of all cores since the last look; at the first look, since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # A guest's time is part of its user's time already.
    whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    busy_before, whole_before = _times[0] if _times else (0.0, 0.0)
    _times[:] = [(whole - idle, whole)]
    passed = whole - whole_before
    return round(min(1.0, max(0.0, (whole - idle - busy_before) / passed)), 3) if passed > 0 else 0.0


def _memory(cgroup: Path) -> Space:
    """Of the machine; in a container with a limit of its own (cgroup v2), of the container."""
    machine = psutil.virtual_memory()
    whole = Space(used=machine.total - machine.available, total=machine.total)
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        if limit == "max" or int(limit) >= machine.total:
            return whole
        lines = (cgroup / "memory.stat").read_text().split("\n")
        given_back = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        return Space(used=int((cgroup / "memory.current").read_text()) - given_back, total=int(limit))
    except FileNotFoundError:
        return whole
