"""What a running job reports: gathered, thinned and written in few short transactions."""

from __future__ import annotations

import datetime
import time
from operator import itemgetter
from typing import Any, Protocol

from django.utils import timezone

from synthesis.events.facts import Fact, Logged, Progressed
from synthesis.jobs import lifecycle
from synthesis.jobs.lifecycle import Claim
from synthesis.vocabulary import Level, Stage

FLUSH_EVERY_S = 0.25
"""The first event after quiet is written at once; a burst is written this often."""
MAX_WAITING = 400
"""Facts kept back at most: a burst of log lines is written early rather than held."""


class EngineLines(Protocol):
    """Where the engine's own lines come from (worker/capture.py)."""

    @property
    def waiting(self) -> bool: ...

    def take(self) -> list[tuple[Logged, datetime.datetime]]: ...

    def catch_up(self) -> None:
        """See that ``take`` will give all that was said until now, even in the middle of a burst."""
        ...

    def turn(self) -> None:
        """The stage changes: what was said until now belongs to the one before."""
        ...


class Journal:
    """Collects facts of one claim. Used by the worker's main thread alone; any may read ``stage``."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._facts: list[tuple[Fact, datetime.datetime]] = []
        self._progress: tuple[Progressed, datetime.datetime] | None = None
        self._flushed_at = 0.0
        self.stage: Stage | None = None
        self.engine_lines: EngineLines | None = None

    def progress(self, fact: Progressed, *, at_once: bool = False) -> None:
        """Where the job is now. Of several within one interval only the last is stored."""
        if fact.stage is not self.stage:
            if self.engine_lines is not None:
                self.engine_lines.turn()
            self.stage = fact.stage
        self._progress = (fact, timezone.now())
        if at_once:
            self.flush()
        else:
            self.tick()

    def log(self, severity: Level, message: str = "", *, code: str = "", **values: Any) -> None:
        """A log line of our own, by its code."""
        fact = Logged(severity=severity, stage=self.stage, message=message, code=code, values=values)
        self._facts.append((fact, timezone.now()))
        if len(self._facts) >= MAX_WAITING:
            self.flush()

    def tick(self) -> None:
        """Write what waits if it has waited long enough; cheap, to be called often."""
        if self._waits() and time.monotonic() - self._flushed_at >= FLUSH_EVERY_S:
            self.flush()

    def flush(self, *last: Fact, **changes: Any) -> None:
        """Write what waits, and then ``last`` with columns to change; raises LeaseLost, DatabaseError."""
        self.take_lines()
        waiting = self._facts
        if self._progress is not None:
            fact = self._progress[0]
            waiting = [*waiting, self._progress]
            changes = {
                "stage": fact.stage,
                "step": fact.step,
                "total": fact.total,
                "progress": fact.progress,
                "eta_s": fact.eta_s,
                **changes,
            }
        now = timezone.now()
        waiting = [*waiting, *((fact, now) for fact in last)]
        self._flushed_at = time.monotonic()
        if waiting:
            lifecycle.note(self._claim, [fact for fact, _ in waiting], [at for _, at in waiting], **changes)
            # Only now: what a lost database did not take is written when it is back.
            self._facts, self._progress = [], None

    def catch_up(self) -> None:
        """Let the next flush have every line that the engine said until now: before the job's end."""
        if self.engine_lines is not None:
            self.engine_lines.catch_up()

    def take_lines(self) -> None:
        """What the engine said so far waits with the rest, in order of time."""
        if self.engine_lines is not None and self.engine_lines.waiting:
            self._facts = sorted([*self._facts, *self.engine_lines.take()], key=itemgetter(1))

    def _waits(self) -> bool:
        return bool(self._facts or self._progress or (self.engine_lines and self.engine_lines.waiting))
