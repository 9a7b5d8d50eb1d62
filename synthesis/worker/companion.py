"""A thread that does jobs beside the worker's own, for an engine that works on several together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, close_old_connections, connection

from synthesis.worker.runtime import Runtime

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""How often an idle one looks for a job. It needs no ticket; one that comes too late finds nothing."""


class Companion(threading.Thread):
    """Works until the worker leaves, and then ends as it does: at once, or at the next border of two segments."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="companion", daemon=True)
        self._runtime = runtime

    def run(self) -> None:
        while not self._runtime.leaving:
            try:
                close_old_connections()
                if self._runtime.take_turn_beside():
                    continue
            except (DatabaseError, OSError):
                # As in the worker's own thread: what it had is taken up again, and the next look may go well.
                logger.exception("A companion could not work; it looks again in a moment.")
            self._runtime.wait_to_leave(LOOK_EVERY_S)
        connection.close()


@contextmanager
def companions(runtime: Runtime) -> Iterator[None]:
    """As many as the loaded engine has room for beside the worker's own thread."""
    threads = [Companion(runtime) for _ in range(runtime.room - 1)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
