"""How long a job will wait and take, from how long others took."""

from __future__ import annotations

import datetime

from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from synthesis.models import Job, WorkerState
from synthesis.vocabulary import Status

RECENT_JOBS = 20
DEFAULT_S_PER_CHAR = 0.03
"""Of the embedded engine, before any job has been measured."""
OVERHEAD_S = 0.5
ALIVE_WITHIN_S = 15.0


def seconds_per_char() -> float:
    """Compute seconds per character of text over the last completed jobs."""
    recent = Job.objects.filter(status=Status.COMPLETED, compute_s__gt=0).order_by("-created_at")
    ids = list(recent.values_list("pk", flat=True)[:RECENT_JOBS])
    sums = Job.objects.filter(pk__in=ids).aggregate(compute=Sum("compute_s"), chars=Sum(Length("text")))
    return float(sums["compute"] / sums["chars"]) if sums["chars"] else DEFAULT_S_PER_CHAR


def live_workers() -> int:
    """Workers that were heard of lately and can work."""
    since = timezone.now() - datetime.timedelta(seconds=ALIVE_WITHIN_S)
    return WorkerState.objects.filter(heartbeat_at__gte=since).exclude(state__in=WorkerState.UNABLE).count()
