"""Jobs as cards and rows show them: the portal's one-line state with places in the queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synthesis.events.wire import portal_line
from synthesis.jobs import board
from synthesis.jobs.board import Place
from synthesis.models import Job
from synthesis.vocabulary import Status
from synthesis.web import places


def lines_of(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """``jobs`` come with their voice (and owner). The queue is only read if one of them waits."""
    rows = list(jobs)
    waiting = any(job.status == Status.QUEUED for job in rows)
    known = {place.job_id: place for place in board.read().places} if waiting else {}
    lines = []
    for job in rows:
        place = known.get(job.pk)
        lines.append({**portal_line(job), **(_told(place) if place else {})})
    return lines


def _told(place: Place) -> dict[str, Any]:
    return {
        "position": place.position,
        "starts_in_s": place.eta_s,
        "place_text": places.sentence(place.position, place.eta_s),
    }
