"""Whose turn it is: turns go round between people, so that one person's hundred jobs never block another's one.

The next turn is of the person with the fewest running jobs; among equals of who was served longest ago. Priorities
order one person's own jobs alone. ``board`` works out the same order in advance.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from synthesis.models import Job, QueueState, User
from synthesis.vocabulary import Status


@dataclass(frozen=True, slots=True)
class Turn:
    """A job and whose it is, as they were when somebody looked."""

    user_id: int
    served_at: datetime.datetime | None
    job_id: str
    attempt: int


def look() -> Turn | None:
    """The next turn; None if nothing may start. Three queries, each over a few rows of an index."""
    if QueueState.objects.paused().exists():
        return None
    while user := _next_user():
        job = Job.objects.queued_of(user[0]).values_list("pk", "attempt").first()
        if job:  # else their last one was taken between the two queries, and it is somebody else's turn
            return Turn(*user, *job)
    return None


def take(turn: Turn, **changes: object) -> bool:
    """Start the job of a turn, setting its columns; false if somebody was faster, and then nothing has changed.

    Every start moves ``served_at``, so no two workers can act on the same look at a person: none serves somebody
    twice while another one waits, or goes past the limit of running jobs.
    """
    with transaction.atomic():
        person = User.objects.filter(pk=turn.user_id, served_at=turn.served_at)
        job = Job.objects.filter(pk=turn.job_id, attempt=turn.attempt, status=Status.QUEUED)
        taken = person.update(served_at=changes["started_at"]) == 1 and job.update(**changes) == 1
        if not taken:
            transaction.set_rollback(True)
    return taken


def startable(queued_before: datetime.datetime) -> int:
    """How many of the jobs that wait since then may start before another one ends."""
    if QueueState.objects.paused().exists():
        return 0
    limit = settings.MAX_RUNNING_PER_USER
    waiting = _count_by_owner(Job.objects.filter(status=Status.QUEUED, queued_at__lt=queued_before))
    if not limit:
        return sum(waiting.values())
    running = _count_by_owner(Job.objects.filter(status=Status.RUNNING))
    return sum(min(jobs, max(0, limit - running.get(owner, 0))) for owner, jobs in waiting.items())


def _count_by_owner(jobs: QuerySet[Job]) -> dict[int, int]:
    return dict(jobs.order_by().values_list("owner_id").annotate(jobs=Count("pk")))


def _next_user() -> tuple[int, datetime.datetime | None] | None:
    """Starts from the people, of whom there are few, and never from the jobs, of which one may have many."""
    waiting = Job.objects.filter(owner=OuterRef("pk"), status=Status.QUEUED)
    running = Job.objects.filter(owner=OuterRef("pk"), status=Status.RUNNING).order_by().values("owner")
    people = User.objects.filter(Exists(waiting)).annotate(
        running=Coalesce(Subquery(running.annotate(count=Count("pk")).values("count")), 0, output_field=IntegerField())
    )
    if settings.MAX_RUNNING_PER_USER:
        people = people.filter(running__lt=settings.MAX_RUNNING_PER_USER)
    order = people.order_by("running", F("served_at").asc(nulls_first=True), "pk")
    return order.values_list("pk", "served_at").first()
