"""What a running job reports: gathered, thinned and written in few short transactions."""

from __future__ import annotations

import datetime
import logging
import time
from typing import Any

from django.utils import timezone

from synthesis.events.facts import Fact, Logged, Progressed
from synthesis.jobs import lifecycle
from synthesis.jobs.lifecycle import Claim
from synthesis.vocabulary import Level, Stage

FLUSH_EVERY_S = 0.25
"""The first event after quiet is written at once; a burst is written this often."""
MAX_WAITING = 400
"""Facts kept back at most: a burst of log lines is written early rather than held."""


class Journal:
    """Collects facts of one claim. Used by the worker's main thread alone, but for ``log``."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._facts: list[tuple[Fact, datetime.datetime]] = []
        self._progress: tuple[Progressed, datetime.datetime] | None = None
        self._flushed_at = 0.0
        self.stage: Stage | None = None

    def progress(self, fact: Progressed, *, at_once: bool = False) -> None:
        """Where the job is now. Of several within one interval only the last is stored."""
        self.stage = fact.stage
        self._progress = (fact, timezone.now())
        if at_once:
            self.flush()
        else:
            self.tick()

    def log(self, severity: Level, message: str = "", *, code: str = "", **values: Any) -> None:
        """A log line: an engine's words, or one of ours by its code."""
        fact = Logged(severity=severity, stage=self.stage, message=message, code=code, values=values)
        self._facts.append((fact, timezone.now()))
        if len(self._facts) >= MAX_WAITING:
            self.flush()

    def tick(self) -> None:
        """Write what waits if it has waited long enough; cheap, to be called often."""
        if (self._facts or self._progress) and time.monotonic() - self._flushed_at >= FLUSH_EVERY_S:
            self.flush()

    def flush(self, *last: Fact, **changes: Any) -> None:
        """Write what waits, and then ``last`` with columns to change; raises LeaseLost."""
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
            self._facts, self._progress = [], None
            lifecycle.note(self._claim, [fact for fact, _ in waiting], [at for _, at in waiting], **changes)


class EngineLog(logging.Handler):
    """Turns what engines log into log lines of the job they work for."""

    LEVELS = (
        (logging.ERROR, Level.ERROR),
        (logging.WARNING, Level.WARNING),
        (logging.INFO, Level.INFO),
        (logging.DEBUG, Level.DEBUG),
    )

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.DEBUG)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        level = next((level for number, level in self.LEVELS if record.levelno >= number), Level.DEBUG)
        self._journal.log(level, record.getMessage())
