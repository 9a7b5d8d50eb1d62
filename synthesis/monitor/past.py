"""The last minute of every gauge, kept in the web process: pages open with a past, and trends have one to look at."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthesis.monitor.machine import Machine, Space
from synthesis.monitor.outlook import Point, Warning  # noqa: A004 what the protocol calls it

LENGTH = 60
"""Looks that are kept, one a second."""
STALE_S = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    at: float
    hosts: Sequence[Machine]
    queued: int
    warnings: list[Warning]


class Past:
    """A ring of looks. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=LENGTH)
        self._lock = threading.Lock()

    def keep(self, look: Look) -> None:
        with self._lock:
            self._looks.append(look)

    def clear(self) -> None:
        with self._lock:
            self._looks.clear()

    def memory(self) -> dict[str, list[Point]]:
        """Used bytes of each host over time. A host that reports seldom is not counted twice for one report."""
        points: dict[str, dict[float, float]] = defaultdict(dict)
        for look in self._all():
            for host in look.hosts:
                points[host["name"]][host["at"]] = host["memory"]["used"]
        return {name: sorted(of_host.items()) for name, of_host in points.items()}

    def last(self) -> Look | None:
        """The newest look; None if nobody looks any more."""
        looks = self._all()
        return looks[-1] if looks and time.time() - looks[-1].at < STALE_S else None

    def traces(self) -> dict[str, list[float]]:
        """Each gauge's values, oldest first, by the name its page gives it: ``cpu@host``, ``gpu0@host``, ``queue``."""
        traces: dict[str, list[float]] = defaultdict(list)
        for look in self._all():
            traces["queue"].append(look.queued)
            for host in look.hosts:
                for name, value in _values(host):
                    traces[f"{name}@{host['name']}"].append(round(value, 3))
        return dict(traces)

    def _all(self) -> list[Look]:
        with self._lock:
            return list(self._looks)


def _values(host: Machine) -> Iterable[tuple[str, float]]:
    yield "cpu", host["cpu"]
    yield "memory", _share(host["memory"])
    yield "disk", _share(host["disk"])
    for index, gpu in enumerate(host["gpus"]):
        yield f"gpu{index}", _share(Space(used=gpu["memory_used"], total=gpu["memory_total"]))
        yield f"load{index}", gpu["load"] or 0.0


def _share(space: Space) -> float:
    return space["used"] / space["total"] if space["total"] else 0.0


past = Past()
