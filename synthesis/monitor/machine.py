"""This machine's processor, memory, disk and GPUs."""

from __future__ import annotations

import socket
import threading
import time
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
    memory: Space
    disk: Space
    gpus: list[Gpu]


NAME = socket.gethostname()
_reading = threading.Lock()
_last: list[Machine] = []


def read() -> Machine:
    """How this machine is, at most ``FRESH_S`` ago."""
    with _reading:
        if not _last or time.time() - _last[0]["at"] > FRESH_S:
            _last[:] = [_look()]
        return _last[0]


def _look() -> Machine:
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(str(settings.DATA_DIR))
    return Machine(
        name=NAME,
        at=round(time.time(), 3),
        cpu=round(psutil.cpu_percent(interval=None) / 100, 3),  # since the last look
        memory=Space(used=memory.total - memory.available, total=memory.total),
        # What is kept for the system's administrator counts as used: we cannot write there.
        disk=Space(used=disk.total - disk.free, total=disk.total),
        gpus=gpus.read(),
    )
