"""What is about to run out: thresholds, and the trend of the last minute. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from synthesis.monitor.machine import Machine

MEMORY_LOW_SHARE = 0.9
GPU_MEMORY_LOW_SHARE = 0.95
"""Higher: an allocator that caches keeps most of a GPU's memory by design."""
DISK_LOW_BYTES = 2 * 1024**3
RISING_WITHIN_MIN = 10.0
"""A trend that ends later than this is no news."""
MIN_SPAN_S = 20.0
MIN_POINTS = 5
MIN_FIT = 0.85
"""R² of the line. A single step (an engine was loaded) reaches 0.75 at most; a leak is a line."""

Point = tuple[float, float]
"""Unix seconds, bytes used."""


class Warning(TypedDict):  # noqa: A001 it is what the protocol calls it
    """``host`` names the machine, ``gpu`` the GPU (number and name), ``minutes`` the time that is left.

    None where it does not apply.
    """

    code: str
    host: str | None
    gpu: str | None
    minutes: int | None


def minutes_until_full(points: Sequence[Point], total: float) -> float | None:
    """When the used bytes reach ``total`` if they go on as they did, by least squares.

    None if they do not rise along a line, or if there is too little past to tell.
    """
    if len(points) < MIN_POINTS or points[-1][0] - points[0][0] < MIN_SPAN_S:
        return None
    at, used = np.array(points, dtype=np.float64).T
    at -= at[-1]
    spread = used - used.mean()
    if not spread.any():
        return None
    slope, now = np.polyfit(at, used, 1)
    fit = 1.0 - float(((used - slope * at - now) ** 2).sum() / (spread**2).sum())
    if slope <= 0 or fit < MIN_FIT:
        return None
    return max(0.0, (total - float(now)) / float(slope) / 60.0)


def warnings(hosts: Sequence[Machine], past: Mapping[str, Sequence[Point]], able_workers: int) -> list[Warning]:
    """Everything to be said now; ``past`` is each host's memory over the last minute."""
    found = [] if able_workers else [_warning("no_workers")]
    for host in hosts:
        found += _of_memory(host, past.get(host["name"], []))
        for index, gpu in enumerate(host["gpus"]):
            if gpu["memory_used"] > GPU_MEMORY_LOW_SHARE * gpu["memory_total"]:
                found.append(_warning("gpu_memory_low", host, gpu=f"{index} · {gpu['name']}"))
        if host["disk"]["total"] - host["disk"]["used"] < DISK_LOW_BYTES:
            found.append(_warning("disk_low", host))
    return found


def _of_memory(host: Machine, points: Sequence[Point]) -> list[Warning]:
    """Low, or soon to be: one of the two is enough."""
    memory = host["memory"]
    if memory["used"] > MEMORY_LOW_SHARE * memory["total"]:
        return [_warning("memory_low", host)]
    minutes = minutes_until_full(points, memory["total"])
    if minutes is not None and minutes <= RISING_WITHIN_MIN:
        return [_warning("memory_rising", host, minutes=max(1, round(minutes)))]
    return []


def _warning(code: str, host: Machine | None = None, *, gpu: str | None = None, minutes: int | None = None) -> Warning:
    return Warning(code=code, host=host["name"] if host else None, gpu=gpu, minutes=minutes)
