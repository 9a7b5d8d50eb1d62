"""Ends a process whose work hangs, so that the supervisor starts another and the job goes on there."""

from __future__ import annotations

import faulthandler
import threading
import time

STDERR = 2
WIND_SHARE = 0.1
"""It is wound up again after this share of its time: that costs a thread, and progress is reported very often."""
LEAST_S = 0.1

_awake: set[Watchdog] = set()
_lock = threading.Lock()


class Watchdog:
    """A timer that progress winds up again, one for each job; the process has one timer, for the first to run out.

    When it runs out, it writes every thread's stack to descriptor 2, which leads into a job's log, and ends the
    process. It is a thread of C that needs neither the interpreter's lock nor the hung thread's help.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._wound_at: float | None = None

    def moved(self) -> None:
        """There was progress; cheap, to be called often."""
        now = time.monotonic()
        if self._wound_at is None or now - self._wound_at >= WIND_SHARE * self._limit_s:
            with _lock:
                self._wound_at = now
                _awake.add(self)
                _set_timer(now)

    def rest(self) -> None:
        """Nothing runs: nothing can hang."""
        with _lock:
            self._wound_at = None
            _awake.discard(self)
            _set_timer(time.monotonic())

    def runs_out_at(self) -> float:
        return (self._wound_at or 0.0) + self._limit_s


def _set_timer(now: float) -> None:
    if not _awake:
        faulthandler.cancel_dump_traceback_later()
        return
    first = min(watchdog.runs_out_at() for watchdog in _awake)
    faulthandler.dump_traceback_later(max(first - now, LEAST_S), exit=True, file=STDERR)
