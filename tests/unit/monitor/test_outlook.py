"""What is about to run out."""

from __future__ import annotations

import numpy as np
import pytest

from synthesis.monitor import outlook
from synthesis.monitor.gpus import Gpu
from synthesis.monitor.machine import Machine, Space
from synthesis.monitor.outlook import Point, minutes_until_full

GIB = 1024**3


def rising(per_s: float, start: float = 4 * GIB, seconds: int = 60, noise: float = 0.0) -> list[Point]:
    jitter = np.random.default_rng(1).normal(0.0, noise, seconds)
    return [(1e9 + second, start + per_s * second + jitter[second]) for second in range(seconds)]


def host(**more: object) -> Machine:
    machine = Machine(
        name="h",
        at=0.0,
        cpu=0.1,
        cores=2,
        memory=Space(used=4 * GIB, total=8 * GIB),
        disk=Space(used=10 * GIB, total=100 * GIB),
        gpus=[],
    )
    return {**machine, **more}  # type: ignore[typeddict-item]  # a test changes single gauges


def gpu(share: float) -> Gpu:
    return Gpu(name="G", memory_used=int(share * GIB), memory_total=GIB, load=None)


def codes(machine: Machine, points: list[Point] | None = None, able: int = 1) -> list[str]:
    return [warning["code"] for warning in outlook.warnings([machine], {"h": points or []}, able)]


def test_a_steady_rise_tells_when_it_ends() -> None:
    # 59 s after the start 4 GiB + 59 × 10 MiB are used; the rest of 8 GiB takes 350.6 s more.
    assert minutes_until_full(rising(10 * 1024**2), 8 * GIB) == pytest.approx(350.6 / 60, rel=1e-3)


def test_noise_moves_the_answer_little() -> None:
    noisy = minutes_until_full(rising(10 * 1024**2, noise=20 * 1024**2), 8 * GIB)
    assert noisy == pytest.approx(350.6 / 60, rel=0.1)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([], id="no past"),
        pytest.param(rising(1e7, seconds=15), id="a short past"),
        pytest.param(rising(0.0), id="level"),
        pytest.param(rising(-1e7), id="falling"),
        pytest.param(rising(0.0, noise=3e7), id="only noise"),
        pytest.param(
            [(second, 4e9 + (6e8 if second > 30 else 0)) for second in range(60)], id="a single step: an engine loaded"
        ),
    ],
)
def test_what_is_no_trend_tells_nothing(points: list[Point]) -> None:
    assert minutes_until_full(points, 8 * GIB) is None


def test_more_than_full_is_now() -> None:
    assert minutes_until_full(rising(1e8, start=8 * GIB), 8 * GIB) == 0.0


def test_a_quiet_machine_warns_of_nothing() -> None:
    assert codes(host(gpus=[gpu(0.9)])) == []


def test_every_threshold_has_its_warning() -> None:
    assert codes(host(memory=Space(used=91, total=100))) == ["memory_low"]
    assert codes(host(gpus=[gpu(0.2), gpu(0.96)])) == ["gpu_memory_low"]
    assert codes(host(disk=Space(used=99 * GIB, total=100 * GIB))) == ["disk_low"]
    assert codes(host(), able=0) == ["no_workers"]


def test_a_rise_that_ends_soon_is_told_in_minutes_before_memory_is_low() -> None:
    (warning,) = outlook.warnings([host()], {"h": rising(10 * 1024**2)}, 1)
    assert warning == {"code": "memory_rising", "host": "h", "gpu": None, "minutes": 6}
    assert codes(host(), rising(2 * 1024**2)) == []  # half an hour from now
    assert codes(host(memory=Space(used=95, total=100)), rising(10 * 1024**2)) == ["memory_low"]
