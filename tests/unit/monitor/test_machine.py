"""This machine's gauges, and those of a container with a limit."""

from __future__ import annotations

import logging
from pathlib import Path

import psutil
import pytest

from synthesis.monitor import gpus, machine

DRIVER = Path("/proc/driver/nvidia").exists()


def test_a_machine_tells_its_shares_and_bytes() -> None:
    told = machine.read()
    assert 0 <= told["cpu"] <= 1
    assert told["cores"] >= 1
    for space in (told["memory"], told["disk"]):
        assert 0 < space["used"] < space["total"]


def test_a_container_has_its_own_limit(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("anon 400000\ninactive_file 200000\nactive_file 100000\n")
    assert machine._memory(tmp_path) == {"used": 500_000, "total": 1_000_000}


@pytest.mark.parametrize("limit", ["max", str(2**62)])
def test_without_a_limit_the_machine_counts(tmp_path: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(limit)
    assert machine._memory(tmp_path)["total"] == psutil.virtual_memory().total
    assert machine._memory(tmp_path / "none")["total"] == psutil.virtual_memory().total


@pytest.mark.skipif(DRIVER, reason="this machine has an NVIDIA driver")
def test_a_machine_without_a_driver_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    driver = gpus._Driver()
    with caplog.at_level(logging.INFO, logger="synthesis.monitor.gpus"):
        assert [driver.read(), driver.read()] == [[], []]
    assert [record.getMessage() for record in caplog.records] == [
        "This machine has no NVIDIA driver; there are no GPU gauges."
    ]


@pytest.mark.skipif(not DRIVER, reason="this machine has no NVIDIA driver")
def test_a_gpu_tells_its_memory_and_load() -> None:
    for gpu in gpus.read():
        assert 0 < gpu["memory_used"] <= gpu["memory_total"]
        assert gpu["load"] is None or 0 <= gpu["load"] <= 1
