"""What is asked of the job at hand while its engine works: to stop, or to make the segment again."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db.models import Exists, OuterRef

from synthesis.engines.base import ShouldStop, Stopped
from synthesis.jobs.lifecycle import Claim, LeaseLost
from synthesis.models import Control

LOOK_EVERY_S = 0.15
"""How often the database is asked whether somebody cancelled, or wants the segment at hand made again."""


class RedoAsked(Exception):
    """What is made of the segment at hand is void: somebody changed it and asked for that."""


class Wishes:
    """Polled by the engine's inner loops, so it looks only now and then."""

    def __init__(
        self, claim: Claim, shutting_down: ShouldStop, *, polled: Callable[[], None], looked: Callable[[], None]
    ) -> None:
        """``polled`` is called every time, ``looked`` whenever the database is about to be asked."""
        self._claim = claim
        self._shutting_down = shutting_down
        self._polled, self._looked = polled, looked
        self._looked_at = 0.0
        self._redo_asked = False

    def should_stop(self) -> bool:
        """Whether the job is cancelled or the worker ends. Raises LeaseLost."""
        self._polled()
        if self._shutting_down():
            return True
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return False
        self._looked_at = now
        self._looked()
        redo = Control.objects.pending().filter(job=OuterRef("pk"), redo=True)
        asked = self._claim.rows().values_list("cancel_asked_at", Exists(redo)).first()
        if asked is None:
            raise LeaseLost(self._claim.job_id)
        cancel_asked_at, self._redo_asked = asked
        return cancel_asked_at is not None

    def should_stop_or_redo(self) -> bool:
        """The same while a segment is made. Raises RedoAsked too."""
        if self.should_stop():
            return True
        if self._redo_asked:
            raise RedoAsked
        return False

    def stop_if_asked(self, *, redo: bool = False) -> None:
        """Look now, whenever the last look was. Raises Stopped, and RedoAsked if that is of interest."""
        self._looked_at = 0.0
        if self.should_stop_or_redo() if redo else self.should_stop():
            raise Stopped

    def redo_heard(self) -> None:
        """The segment is made from its beginning, with all that was asked."""
        self._redo_asked = False
