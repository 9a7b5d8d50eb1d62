"""The only module that knows RQ.

A message in the queue is a *ticket*: it says that there is one more job to do. Whose turn it is
is decided in the database when a worker takes the ticket (``jobs/turns.py``), so a priority
can change while a job waits, and a lost or doubled ticket does no harm.
"""

from __future__ import annotations

import logging
import uuid

import django_rq
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

logger = logging.getLogger(__name__)

NAME = "synthesis"
TASK = "synthesis.worker.task.take_turn"
"""By name: the web process must not import the worker, which imports torch."""


def enqueue(job_id: str, attempt: int) -> None:
    """Put a ticket into the queue. If Redis is away nothing is lost: recovery finds the row and tries again."""
    _push(f"{job_id}-{attempt}")


def tickets() -> int | None:
    """How many tickets wait; None if Redis is away."""
    try:
        return int(django_rq.get_queue(NAME).count)
    except RedisError:
        return None


def top_up(missing: int) -> None:
    """Add tickets for queued jobs that have none."""
    for _ in range(missing):
        _push(f"swept-{uuid.uuid4().hex}")


def _push(ticket: str) -> None:
    try:
        django_rq.get_queue(NAME).enqueue(TASK, job_id=ticket, unique=True, result_ttl=0, failure_ttl=24 * 3600)
    except DuplicateJobError:
        logger.info("Ticket %s waits already.", ticket)
    except RedisError as problem:
        logger.warning("No ticket for %s now: %s", ticket, problem)
