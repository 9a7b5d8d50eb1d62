"""How far each stage of a job is, worked out from the one step that the job is at.

Steps are: one for the reference, two for each segment (acoustic, vocoder), one for the files.
``static/js/stages.js`` works out the same while a page is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from synthesis.vocabulary import Stage, Status

MAX_STEP_GAP_S = 60.0
"""A longer silence between two events is a pause or a lost worker, and no stage's time."""


def stage_shares(stage: str, step: int, segments: int, status: str) -> dict[str, float]:
    """Finished share of every stage, 0 to 1."""
    if status == Status.COMPLETED:
        return dict.fromkeys(Stage, 1.0)
    if not stage or step < 1:
        return dict.fromkeys(Stage, 0.0)
    whole = max(1, segments)
    done, second = divmod(max(0, step - 2), 2)
    saving = stage == Stage.SAVE
    return {
        Stage.EXTRACT: 0.0 if step == 1 else 1.0,
        Stage.ACOUSTIC: 1.0 if saving else min(1.0, (done + second) / whole) if step > 1 else 0.0,
        Stage.VOCODER: 1.0 if saving else min(1.0, done / whole) if step > 1 else 0.0,
        Stage.SAVE: 0.0,
    }


class StageTimes(TypedDict):
    seconds: dict[str, float]
    """Spent in each stage."""
    at: float
    stage: str | None
    """The last moment, from which a page counts on."""


def stage_times(moments: Iterable[tuple[float, str | None]]) -> StageTimes:
    """From each progress to the next one counts for the stage of the first.

    A moment without a stage is one at which the job did not run: what lies around it counts for none.
    """
    spent = dict.fromkeys((stage.value for stage in Stage), 0.0)
    last_at, last_stage = 0.0, None
    for at, stage in moments:
        if stage and last_stage and 0 <= at - last_at <= MAX_STEP_GAP_S:
            spent[last_stage] += at - last_at
        last_at, last_stage = at, stage
    seconds = {stage: round(spent_s, 3) for stage, spent_s in spent.items()}
    return StageTimes(seconds=seconds, at=last_at, stage=last_stage)
