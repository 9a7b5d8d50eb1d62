"""Stored events, read back."""

from synthesis.events.wire import EventData, event_data
from synthesis.models import Event, Job

PAGE = 500
"""Events read at once: a job with 100,000 log lines must not fill the memory."""


def after(job_id: str, seq: int, *, limit: int = PAGE) -> list[EventData]:
    """The next stored events of a job with a higher ``seq``, in order, at most ``limit``."""
    rows = Event.objects.filter(job_id=job_id, seq__gt=seq).order_by("seq")[:limit]
    return [event_data(row) for row in rows]


def last_seqs(job_ids: list[str]) -> dict[str, int]:
    """The newest ``seq`` of each job, in one query."""
    return dict(Job.objects.filter(pk__in=job_ids).values_list("pk", "last_seq"))
