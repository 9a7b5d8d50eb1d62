"""When a worker has grown too much."""

from __future__ import annotations

import pytest

from synthesis.worker.memory import MIB, Footprint, outgrown

FIRST = Footprint(resident=400 * MIB, device=2000 * MIB)


@pytest.mark.parametrize(
    ("now", "limit_mb", "grown_mb"),
    [
        (FIRST, 100, None),
        (Footprint(500 * MIB, 2000 * MIB), 100, None),
        (Footprint(501 * MIB, 2000 * MIB), 100, 101),
        (Footprint(300 * MIB, 2101 * MIB), 100, 101),
        (Footprint(501 * MIB, 2300 * MIB), 100, 300),
        (Footprint(100 * MIB, 0), 1, None),
        (Footprint(9000 * MIB, 9000 * MIB), 0, None),
    ],
)
def test_the_one_that_grew_more_decides_and_zero_means_never(
    now: Footprint, limit_mb: int, grown_mb: int | None
) -> None:
    grown = outgrown(FIRST, now, limit_mb)
    assert (grown and grown // MIB) == grown_mb
