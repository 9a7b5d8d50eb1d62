"""The only writer of events and of a job's ``last_seq``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from synthesis.events import push
from synthesis.events.facts import ControlAsked, Fact, Logged, Redone
from synthesis.models import Event, Job


def record(
    where: QuerySet[Job],
    job_id: str,
    facts: Sequence[Fact],
    *,
    at: Sequence[datetime.datetime] | None = None,
    **changes: Any,
) -> Job | None:
    """Change one job and store what happened, together or not at all; announce it after commit.

    ``where`` carries the conditions (status, attempt, worker) under which the change may happen: if they
    no longer hold, nothing is written and None is returned. ``changes`` are columns to set, in the same
    UPDATE that takes the sequence numbers, so that two writers can never get the same ones. ``at``:
    when each fact happened, if not now.
    """
    moments = at or [timezone.now()] * len(facts)
    with transaction.atomic():
        if where.filter(pk=job_id).update(last_seq=F("last_seq") + len(facts), **changes) != 1:
            return None
        job = Job.objects.only("last_seq", "status").get(pk=job_id)
        first = job.last_seq - len(facts) + 1
        rows = [
            Event(
                job=job,
                seq=first + offset,
                at=moment,
                status=job.status if isinstance(fact, ControlAsked | Logged | Redone) else fact.status,
                kind=fact.kind,
                level=fact.severity if isinstance(fact, Logged) else (fact.level or ""),
                data=fact.data(),
            )
            for offset, (fact, moment) in enumerate(zip(facts, moments, strict=True))
        ]
        Event.objects.bulk_create(rows)
        # After commit: a reader who hears the bell must find the rows.
        transaction.on_commit(lambda: push.events(job.pk, rows))
    return job
