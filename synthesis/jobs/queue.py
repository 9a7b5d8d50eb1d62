"""The only module that knows RQ.

A message in the queue is a *ticket*: it says that there is one more job to do. Whose turn it is
is decided in the database when a worker takes the ticket (``jobs/turns.py``), so a priority
can change while a job waits, and a lost or doubled ticket does no harm.
"""

from __future__ import annotations

import functools
import logging
import time
import uuid

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError

logger = logging.getLogger(__name__)

NAME = "synthesis"
TASK = "synthesis.worker.task.take_turn"
"""By name: the web process must not import the worker, which imports torch."""
PATIENCE_S = 1.0
"""Longer than this nobody waits for a Redis that does not answer: neither a page nor a worker's heartbeat."""


class _Break:
    """After a failure Redis is left alone for a moment: a batch of a hundred jobs waits for it once."""

    until = 0.0


def for_worker() -> Queue:
    """The queue as a worker waits at it: with a connection of its own, whose reads may take long."""
    return _queue(Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PATIENCE_S, retry=Retry(NoBackoff(), 0)))


@functools.cache
def _impatient() -> Queue:
    """For everyone else. django_rq's own connections wait half a minute for a Redis that hangs."""
    return _queue(
        Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=PATIENCE_S,
            socket_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
    )


def _queue(connection: Redis) -> Queue:
    queue: Queue = django_rq.get_queue(NAME, connection=connection)
    return queue


def enqueue(job_id: str, attempt: int) -> None:
    """Put a ticket into the queue. If Redis is away nothing is lost: recovery finds the row and tries again."""
    _push(f"{job_id}-{attempt}")


def tickets() -> int | None:
    """How many tickets wait; None if Redis is away."""
    try:
        return int(_impatient().count)
    except RedisError:
        return None


def top_up(missing: int) -> None:
    """Add tickets for queued jobs that have none."""
    for _ in range(missing):
        _push(f"swept-{uuid.uuid4().hex}")


def _push(ticket: str) -> None:
    if time.monotonic() < _Break.until:
        return
    try:
        _impatient().enqueue(TASK, job_id=ticket, unique=True, result_ttl=0, failure_ttl=24 * 3600)
    except DuplicateJobError:
        logger.info("Ticket %s waits already.", ticket)
    except RedisError as problem:
        _Break.until = time.monotonic() + PATIENCE_S
        logger.warning("No tickets for a moment, %s is the first without: %s", ticket, problem)
