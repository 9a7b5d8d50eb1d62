"""Finds what was left behind: jobs of dead workers, queued jobs without a ticket, files that no row names.

Runs every few seconds in every worker and in the web process, so that a job is found again even if no
worker lives. All steps are conditional, so any number of sweepers may run at once.
"""

from __future__ import annotations

import datetime
import logging
import threading
import time

from django.conf import settings
from django.db import close_old_connections
from django.db.utils import DatabaseError
from django.utils import timezone

from synthesis.jobs import lifecycle, liveness, queue, turns
from synthesis.models import Job, Output, Segment, WorkerState
from synthesis.outputs import store
from synthesis.vocabulary import Status

logger = logging.getLogger(__name__)

TICKET_GRACE_S = 3.0
"""Between the commit of a job and its ticket lies a moment in which it has none."""
FORGET_WORKERS_AFTER_S = 3600.0
TIDY_FOR_S = 600.0
"""So long after its end the files of a job that changed workers are looked through."""
PAGE = 100
"""Tickets added in one sweep: more than workers can use until the next one, and soon done."""


class Sweeper:
    """One for each process that sweeps: knows whether it comes in time."""

    def __init__(self) -> None:
        self._swept_at = timezone.now()

    def sweep(self) -> None:
        _forget_old_workers()  # a write, and so the wait, if somebody holds the database
        now = timezone.now()
        late = now - self._swept_at > datetime.timedelta(seconds=3 * settings.HEARTBEAT_S)
        self._swept_at = now
        sweep(late=late)


class Patrol(threading.Thread):
    """Sweeps for as long as its process lives: that of the web server, so that even without a worker jobs are found."""

    def __init__(self) -> None:
        super().__init__(name="patrol", daemon=True)

    def run(self) -> None:
        sweeper = Sweeper()
        while True:
            time.sleep(settings.HEARTBEAT_S)
            try:
                close_old_connections()
                sweeper.sweep()
            except DatabaseError:
                logger.exception("Nothing was swept this time.")


def sweep(*, late: bool = False) -> None:
    """Put every forgotten job back on its way.

    ``late``: the database was locked, the machine slept or its clock was set, so nobody could renew a lease. Those
    that ran out meanwhile say nothing about their holders, who get until the next sweep.
    """
    now = timezone.now()
    _take_from_the_dead()
    if not late:
        _take_where_the_lease_ended(now)
    add_missing_tickets(now - datetime.timedelta(seconds=TICKET_GRACE_S))
    _tidy(now)


def _forget_old_workers() -> None:
    old = timezone.now() - datetime.timedelta(seconds=FORGET_WORKERS_AFTER_S)
    WorkerState.objects.filter(heartbeat_at__lt=old).delete()


def _take_from_the_dead() -> None:
    for job in Job.objects.filter(status=Status.RUNNING):
        if liveness.is_dead(job.worker):
            lifecycle.take_from_dead_worker(job, certain=True)
    for name in WorkerState.objects.values_list("name", flat=True):
        if liveness.is_dead(name):
            WorkerState.objects.filter(pk=name).delete()
            liveness.forget(name)


def _take_where_the_lease_ended(now: datetime.datetime) -> None:
    for job in Job.objects.filter(status=Status.RUNNING, lease_until__lt=now):
        lifecycle.take_from_dead_worker(job)


def add_missing_tickets(queued_before: datetime.datetime | None = None) -> None:
    """Tickets for jobs that could start and have none: all of them, or those that wait since ``queued_before``."""
    waiting = turns.startable(queued_before or timezone.now())  # for others, workers would only throw them away
    tickets = queue.tickets() if waiting else None
    if tickets is not None and tickets < waiting:
        queue.top_up(min(PAGE, waiting - tickets))


def _tidy(now: datetime.datetime) -> None:
    """Remove files of killed processes. Only a job that changed workers can have any."""
    since = now - datetime.timedelta(seconds=TIDY_FOR_S)
    for job_id in Job.objects.filter(attempt__gt=1, ended_at__gt=since).values_list("pk", flat=True):
        named = {
            *Segment.objects.filter(job_id=job_id).exclude(audio_path="").values_list("audio_path", flat=True),
            *Output.objects.filter(job_id=job_id).values_list("path", flat=True),
        }
        store.keep_only(job_id, named)
    store.clear_scratch()
