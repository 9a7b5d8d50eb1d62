"""Two portals for the whole folder: starting one takes seconds, and what a fault left must not harm the next test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.scene import Scene
from tests.faults.sleeper import Sleeper
from tests.portal import Portal


@pytest.fixture(scope="package")
def portals() -> Iterator[tuple[Portal, Portal]]:
    """One with common settings, one that soon takes a worker for hung; both with two workers."""
    with tempfile.TemporaryDirectory(prefix="cosyweb-faults-") as directory:
        patient = Portal(Path(directory) / "patient", COSYWEB_WORKERS="2")
        hasty = Portal(Path(directory) / "hasty", COSYWEB_WORKERS="2", COSYWEB_STALL_S="6")
        patient.prepare()
        hasty.prepare()
        try:
            with ThreadPoolExecutor() as threads:
                list(threads.map(Portal.start, (patient, hasty)))
            yield patient, hasty
        finally:
            patient.stop()
            hasty.stop()


@pytest.fixture(scope="package")
def scene(portals: tuple[Portal, Portal]) -> Iterator[Scene]:
    with closing(Scene(portals[0])) as scene:
        yield scene


@pytest.fixture(scope="package")
def hasty(portals: tuple[Portal, Portal]) -> Iterator[Scene]:
    with closing(Scene(portals[1])) as scene:
        yield scene


@pytest.fixture(scope="package", autouse=True)
def sleeper(hasty: Scene) -> Iterator[Sleeper]:
    """A browser that falls asleep now: the other tests run while the server finds out. See test_sleeping_browser.py."""
    sleeper = Sleeper(hasty)
    try:
        sleeper.fall_asleep()
        yield sleeper
    finally:
        sleeper.end()
