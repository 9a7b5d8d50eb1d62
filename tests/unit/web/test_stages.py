"""How far each stage is, from the one step a job is at."""

from __future__ import annotations

import pytest

from synthesis.vocabulary import Stage, Status
from synthesis.web.stages import stage_shares, stage_times


@pytest.mark.parametrize(
    ("stage", "step", "expected"),
    [
        ("", 0, (0, 0, 0, 0)),
        ("extract", 1, (0, 0, 0, 0)),
        ("acoustic", 2, (1, 0, 0, 0)),
        ("vocoder", 3, (1, 0.5, 0, 0)),
        ("acoustic", 4, (1, 0.5, 0.5, 0)),
        ("vocoder", 5, (1, 1, 0.5, 0)),
        ("save", 6, (1, 1, 1, 0)),
    ],
)
def test_shares_of_a_job_with_two_segments(stage: str, step: int, expected: tuple[float, ...]) -> None:
    assert tuple(stage_shares(stage, step, 2, Status.RUNNING).values()) == expected


def test_a_completed_job_is_done_in_every_stage() -> None:
    assert set(stage_shares("save", 6, 2, Status.COMPLETED).values()) == {1.0}


def test_time_counts_for_the_stage_before_and_pauses_for_none() -> None:
    times = stage_times([(0.0, "extract"), (1.5, "acoustic"), (2.0, "vocoder"), (500.0, "acoustic")])
    assert (times["at"], times["stage"]) == (500.0, "acoustic"), "where a page goes on"
    assert times["seconds"] == {Stage.EXTRACT: 1.5, Stage.ACOUSTIC: 0.5, Stage.VOCODER: 0.0, Stage.SAVE: 0.0}


def test_a_pause_is_no_stages_time() -> None:
    spent = stage_times(
        [(0.0, "acoustic"), (1.0, "vocoder"), (3.0, None), (9.0, None), (9.5, "vocoder"), (10.0, "save")]
    )["seconds"]
    assert (spent["acoustic"], spent["vocoder"], spent["save"]) == (1.0, 0.5, 0.0)
