"""The next seed of a segment counts up from the job's, as takes do."""

from __future__ import annotations

from synthesis.jobs.seeds import next_seed, segment_seed
from synthesis.jobs.spec import MAX_SEED


def test_it_is_one_more_than_the_last_one_used() -> None:
    used = {segment_seed(1986, 2)}
    for expected in (1987, 1988, 1989):
        assert next_seed(1986, 2, used) == expected
        used.add(segment_seed(expected, 2))


def test_a_foreign_seed_does_not_disturb_the_count() -> None:
    assert next_seed(1986, 0, {segment_seed(5, 0)}) == 1987


def test_the_largest_seed_is_followed_by_zero() -> None:
    assert next_seed(MAX_SEED, 0, {segment_seed(MAX_SEED, 0)}) == 0
