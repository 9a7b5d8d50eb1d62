"""Ends a process whose work hangs, so that the supervisor starts another and the job goes on there."""

from __future__ import annotations

import faulthandler
import time

STDERR = 2
WIND_SHARE = 0.1
"""It is wound up again after this share of its time: that costs a thread, and progress is reported very often."""


class Watchdog:
    """A timer that progress winds up again.

    When it runs out, it writes every thread's stack to descriptor 2, which leads into the job's log, and ends the
    process. It is a thread of C that needs neither the interpreter's lock nor the hung thread's help.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._wound_at: float | None = None

    def moved(self) -> None:
        """There was progress; cheap, to be called often."""
        now = time.monotonic()
        if self._wound_at is None or now - self._wound_at >= WIND_SHARE * self._limit_s:
            self._wound_at = now
            faulthandler.dump_traceback_later(self._limit_s, exit=True, file=STDERR)

    def rest(self) -> None:
        """Nothing runs: nothing can hang."""
        faulthandler.cancel_dump_traceback_later()
