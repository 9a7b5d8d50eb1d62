"""Once a second: looks at the gauges, whether anybody follows or not, and moves the database's log."""

from __future__ import annotations

import logging
import threading

from django.db import close_old_connections, connection
from django.db.utils import DatabaseError

from synthesis.events import push
from synthesis.monitor import gauges
from synthesis.monitor.checkpoint import checkpoint
from synthesis.monitor.past import Look, past

logger = logging.getLogger(__name__)

EVERY_S = 1.0


class Sampler(threading.Thread):
    """Fills the past. One in each web process; a daemon, it ends with it."""

    def __init__(self) -> None:
        super().__init__(name="sampler", daemon=True)
        self._ended = threading.Event()
        self._said: list[str] = []
        self._blind = False

    def run(self) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                close_old_connections()
                self._look()
                checkpoint()
                self._blind = False
            except (DatabaseError, OSError) as problem:
                if not self._blind:  # once an outage, not once a second
                    logger.warning("No gauges for now: %s", problem)
                self._blind = True
        connection.close()

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _look(self) -> None:
        now = gauges.read()
        past.keep(Look(now["at"], now["hosts"], now["queue"]["queued"], now["details"]))
        if now["warnings"] != self._said:
            self._said = now["warnings"]
            push.queue_changed()  # the studio shows warnings with the queue
