"""A thread beside the engine: keeps the lease, says that the worker lives, and sweeps up after dead ones."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.utils import DatabaseError

from synthesis.jobs import lifecycle, recovery
from synthesis.worker.runtime import Runtime

logger = logging.getLogger(__name__)


class Caretaker(threading.Thread):
    """Beats every ``HEARTBEAT_S``. A daemon: it dies with its process, and then the lease runs out."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="caretaker", daemon=True)
        self._runtime = runtime
        self._ended = threading.Event()
        self._sweeper = recovery.Sweeper()

    def run(self) -> None:
        while not self._ended.wait(settings.HEARTBEAT_S):
            try:
                close_old_connections()
                self._beat()
            except (DatabaseError, OSError):
                # The next beat tries again; if the database stays away, the lease ends and the fence holds.
                # OSError: of the gauges that each beat carries; a disk that is gone must not end the beating.
                logger.exception("No heartbeat this time.")
        connection.close()

    def end(self) -> None:
        """Stop beating and wait until the last beat is done."""
        self._ended.set()
        self.join()

    def _beat(self) -> None:
        for claim in self._runtime.claims:
            lifecycle.renew(claim)
        self._runtime.say()
        self._runtime.hear()
        self._sweeper.sweep()
