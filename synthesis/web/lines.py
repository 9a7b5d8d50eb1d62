"""Jobs as cards and rows show them: the portal's one-line state with places in the queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synthesis.events.wire import portal_line
from synthesis.jobs import board
from synthesis.models import Job
from synthesis.vocabulary import Status


def lines_of(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """``jobs`` come with their voice (and owner). The queue is only read if one of them waits."""
    rows = list(jobs)
    waiting = any(job.status == Status.QUEUED for job in rows)
    places = {place.job_id: place for place in board.read().places} if waiting else {}
    lines = []
    for job in rows:
        place = places.get(job.pk)
        position = {"position": place.position, "starts_in_s": place.eta_s} if place else {}
        lines.append({**portal_line(job), **position})
    return lines
