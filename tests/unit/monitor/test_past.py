"""The last minute of the gauges."""

from __future__ import annotations

import time

from synthesis.monitor.gpus import Gpu
from synthesis.monitor.machine import Machine, Space
from synthesis.monitor.past import LENGTH, Look, Past


def machine(name: str, at: float, used: int) -> Machine:
    space = Space(used=used, total=100)
    return Machine(
        name=name,
        at=at,
        cpu=0.5,
        cores=2,
        memory=space,
        disk=space,
        gpus=[Gpu(name="G", memory_used=3, memory_total=4, load=None)],
    )


def test_only_the_last_minute_is_kept() -> None:
    past = Past()
    for second in range(LENGTH + 40):
        past.keep(Look(float(second), [machine("a", float(second), second)], second, []))
    traces = past.traces()
    assert traces["queue"] == list(range(40, LENGTH + 40))
    assert traces["cpu@a"] == [0.5] * LENGTH
    assert traces["memory@a"][0] == 0.4
    assert (traces["gpu0@a"][0], traces["load0@a"][0]) == (0.75, 0.0)


def test_a_host_that_reports_seldom_counts_once_for_a_report() -> None:
    past = Past()
    for second in range(9):
        past.keep(Look(float(second), [machine("b", float(second // 3), second // 3)], 0, []))
    assert past.memory() == {"b": [(0.0, 0), (1.0, 1), (2.0, 2)]}


def test_a_look_grows_stale() -> None:
    past = Past()
    assert past.last() is None
    past.keep(Look(time.time() - 10, [], 0, []))
    assert past.last() is None
    past.keep(Look(time.time(), [], 4, []))
    last = past.last()
    assert last
    assert last.queued == 4
