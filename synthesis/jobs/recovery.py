"""Finds what was left behind: jobs of dead workers, queued jobs without a ticket.

Runs every few seconds in every worker. All steps are conditional, so any number of sweepers may run at once.
"""

from __future__ import annotations

import datetime

from django.utils import timezone

from synthesis.jobs import lifecycle, queue
from synthesis.models import Job, WorkerState
from synthesis.vocabulary import Status

TICKET_GRACE_S = 3.0
"""Between the commit of a job and its ticket lies a moment in which it has none."""
FORGET_WORKERS_AFTER_S = 3600.0
PAGE = 100


def sweep() -> None:
    """Put every forgotten job back on its way."""
    now = timezone.now()
    for job in Job.objects.filter(status=Status.RUNNING, lease_until__lt=now)[:PAGE]:
        lifecycle.take_from_dead_worker(job)
    _add_missing_tickets(now)
    WorkerState.objects.filter(heartbeat_at__lt=now - datetime.timedelta(seconds=FORGET_WORKERS_AFTER_S)).delete()


def _add_missing_tickets(now: datetime.datetime) -> None:
    settled = now - datetime.timedelta(seconds=TICKET_GRACE_S)
    waiting = Job.objects.filter(status=Status.QUEUED, queued_at__lt=settled).count()
    tickets = queue.tickets() if waiting else None
    if tickets is not None and tickets < waiting:
        queue.top_up(waiting - tickets)
