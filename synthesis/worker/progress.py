"""From an engine's reports to the step, the percentage and the time left that people read."""

from __future__ import annotations

import time
from collections.abc import Sequence

from synthesis.events.facts import Progressed
from synthesis.vocabulary import Stage

EXTRACT_SHARE, SAVE_SHARE = 0.04, 0.04
"""Shares of a job's time, as measured with the embedded engine; the rest are its segments by length."""
ACOUSTIC_SHARE = 0.7
"""Of a segment's time."""
HIGHEST = 0.999
"""1.0 is for completed jobs alone."""
TRUST_MEASURED_AFTER = 0.15
"""From this progress on, the time left is what was measured in this job, not in others."""


class ProgressMeter:
    """Steps: one for the reference, two a segment (acoustic, vocoder), one to save."""

    def __init__(self, lengths: Sequence[int], done: int, estimate_s: float) -> None:
        """``lengths``: characters of each segment; ``done``: segments finished before; ``estimate_s``: for the rest."""
        chars = sum(lengths) or 1
        work = 1.0 - EXTRACT_SHARE - SAVE_SHARE
        self._weights = [work * length / chars for length in lengths]
        self._starts = [EXTRACT_SHARE + sum(self._weights[:index]) for index in range(len(lengths))]
        self.total = 2 + 2 * len(lengths)
        self._began = time.monotonic()
        self._first = EXTRACT_SHARE + sum(self._weights[:done]) if done else 0.0
        self._highest = self._first
        self._estimate_s = estimate_s

    def fact(self, stage: Stage, index: int, done: float, total: float) -> Progressed:
        """Where the job is when ``stage`` of segment ``index`` has done ``done`` of ``total``."""
        within = min(1.0, done / total) if total > 0 else 0.0
        step, progress = self._place(stage, index, within)
        self._highest = max(self._highest, min(HIGHEST, progress))
        return Progressed(
            stage=stage, step=step, total=self.total, progress=round(self._highest, 4), eta_s=self._seconds_left()
        )

    def _place(self, stage: Stage, index: int, within: float) -> tuple[int, float]:
        if stage is Stage.EXTRACT:
            return 1, EXTRACT_SHARE * within
        if stage is Stage.SAVE:
            return self.total, 1.0 - SAVE_SHARE * (1.0 - within)
        second = stage is Stage.VOCODER
        part = ACOUSTIC_SHARE + (1 - ACOUSTIC_SHARE) * within if second else ACOUSTIC_SHARE * within
        return 2 + 2 * index + second, self._starts[index] + self._weights[index] * part

    def _seconds_left(self) -> float:
        gained = self._highest - self._first
        left = 1.0 - self._highest
        elapsed = time.monotonic() - self._began
        if gained >= TRUST_MEASURED_AFTER:
            return round(elapsed * left / gained, 1)
        return round(max(0.1, self._estimate_s - elapsed), 1)
