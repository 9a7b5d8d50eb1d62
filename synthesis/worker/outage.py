"""A database that went away in the middle of a job."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from synthesis.engines.base import ShouldStop
from synthesis.jobs import lifecycle
from synthesis.jobs.lifecycle import Claim, LeaseLost

logger = logging.getLogger(__name__)

DATABASE_LOST = (OperationalError, InterfaceError)
RETRY_EVERY_S = 0.5


def outlast(claim: Claim, shutting_down: ShouldStop, moved: Callable[[], None]) -> float:
    """Wait until the database takes writes again; how long one waited, in seconds. ``moved`` calms the watchdog.

    Raises LeaseLost, or what the database says last when patience is at its end or the worker shuts down.
    """
    began = time.monotonic()
    while True:
        moved()
        connection.close()
        try:
            if lifecycle.renew(claim):
                return time.monotonic() - began
            raise LeaseLost(claim.job_id)
        except DATABASE_LOST:
            if shutting_down() or time.monotonic() - began >= settings.DATABASE_PATIENCE_S:
                logger.exception("The database stays away: job %s is left to recovery.", claim.job_id)
                raise
            time.sleep(RETRY_EVERY_S)
