"""Finds what was left behind: jobs of dead workers, queued jobs without a ticket.

Runs every few seconds in every worker. All steps are conditional, so any number of sweepers may run at once.
"""

from __future__ import annotations

import datetime

from django.utils import timezone

from synthesis.jobs import lifecycle, queue, turns
from synthesis.models import Job, WorkerState
from synthesis.vocabulary import Status

TICKET_GRACE_S = 3.0
"""Between the commit of a job and its ticket lies a moment in which it has none."""
FORGET_WORKERS_AFTER_S = 3600.0
PAGE = 100
MAX_NEW_TICKETS = 500
"""At a time: pushing them takes a while, and the next look comes in seconds."""


def sweep() -> None:
    """Put every forgotten job back on its way."""
    now = timezone.now()
    for job in Job.objects.filter(status=Status.RUNNING, lease_until__lt=now)[:PAGE]:
        lifecycle.take_from_dead_worker(job)
    add_missing_tickets(now - datetime.timedelta(seconds=TICKET_GRACE_S))
    WorkerState.objects.filter(heartbeat_at__lt=now - datetime.timedelta(seconds=FORGET_WORKERS_AFTER_S)).delete()


def add_missing_tickets(queued_before: datetime.datetime | None = None) -> None:
    """Tickets for jobs that could start and have none: all of them, or those that wait since ``queued_before``."""
    waiting = turns.startable(queued_before or timezone.now())  # for others, workers would only throw them away
    tickets = queue.tickets() if waiting else None
    if tickets is not None and tickets < waiting:
        queue.top_up(min(waiting - tickets, MAX_NEW_TICKETS))
