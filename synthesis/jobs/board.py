"""The queue as people see it: who waits where, and about when it is their turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models.functions import Length

from synthesis.jobs import estimate
from synthesis.models import Job
from synthesis.vocabulary import Status

LONGEST = 500
"""Places that are worked out; who waits behind them is told when the queue is shorter."""


@dataclass(frozen=True, slots=True)
class Place:
    job_id: str
    owner_id: int
    position: int
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class Board:
    queued: int
    running: int
    workers: int
    places: list[Place] = field(default_factory=list)


def read() -> Board:
    """The whole queue in a fixed number of queries."""
    waiting = list(
        Job.objects.in_turn().annotate(chars=Length("text")).values_list("pk", "owner_id", "chars")[:LONGEST]
    )
    etas = list(Job.objects.filter(status=Status.RUNNING).values_list("eta_s", flat=True))
    workers = estimate.live_workers()
    per_char = estimate.seconds_per_char() if waiting else 0.0
    ahead_s = sum(eta if eta is not None else 5.0 for eta in etas) if len(etas) >= workers else 0.0
    places = []
    for position, (job_id, owner_id, chars) in enumerate(waiting):
        places.append(Place(job_id, owner_id, position, round(ahead_s / workers, 1) if workers else None))
        ahead_s += chars * per_char + estimate.OVERHEAD_S
    queued = len(waiting) if len(waiting) < LONGEST else Job.objects.filter(status=Status.QUEUED).count()
    return Board(queued=queued, running=len(etas), workers=workers, places=places)


def place_of(job_id: str) -> tuple[int, float | None]:
    """Jobs ahead of a queued job, and about the seconds until it starts; None if nobody can tell."""
    board = read()
    for place in board.places:
        if place.job_id == job_id:
            return place.position, place.eta_s
    return board.queued, None
