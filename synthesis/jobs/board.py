"""The queue as people see it: who waits where, and about when it is their turn."""

from __future__ import annotations

import datetime
import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import Length

from synthesis.jobs import estimate
from synthesis.models import Job, QueueState, User
from synthesis.vocabulary import Status

LONGEST = 500
"""Places that are worked out; who waits behind them is told when the queue is shorter."""
MAX_PEOPLE = 400
"""Whose jobs are looked at; SQLite joins at most 500 queries into one."""
UNKNOWN_S = 5.0
"""Of a running job that has not said yet how long it will take."""


@dataclass(frozen=True, slots=True)
class Place:
    job_id: str
    owner_id: int
    position: int
    """Jobs that start before."""
    eta_s: float | None
    """Seconds until it starts; None if nobody can tell: no worker lives, or the queue is paused."""


@dataclass(frozen=True, slots=True)
class Board:
    queued: int
    running: int
    workers: int
    paused: bool = False
    paused_by: str = ""
    places: list[Place] = field(default_factory=list)

    def place_of(self, job_id: str) -> tuple[int, float | None]:
        """Jobs ahead of a queued job, and about the seconds until it starts; None if nobody can tell."""
        for place in self.places:
            if place.job_id == job_id:
                return place.position, place.eta_s
        return max(0, self.queued - 1), None


@dataclass(slots=True)
class Person:
    """Somebody with waiting jobs, while turns are simulated."""

    user_id: int
    running: int
    waiting: int
    served_s: float
    """When they were served last, Unix seconds; counts on from the present in the simulation."""
    jobs: deque[tuple[str, int]] = field(default_factory=deque)
    """The first of the waiting: id and characters of text."""

    def order(self) -> tuple[int, float, int]:
        """Who is lowest has the next turn: the rule of ``turns``."""
        return self.running, self.served_s, self.user_id


def read() -> Board:
    """The whole queue in a fixed number of queries, however long it is."""
    counts = dict(
        Job.objects.filter(status=Status.QUEUED).order_by().values_list("owner_id").annotate(jobs=Count("pk"))
    )
    running = list(Job.objects.filter(status=Status.RUNNING).order_by().values_list("owner_id", "eta_s"))
    pause = QueueState.objects.paused().select_related("paused_by").first()
    workers = estimate.live_workers()
    places = _places(counts, running, workers, timeless=pause is not None or not workers) if counts else []
    return Board(
        queued=sum(counts.values()),
        running=len(running),
        workers=workers,
        paused=pause is not None,
        paused_by=pause.by if pause else "",
        places=places,
    )


def _places(
    counts: Mapping[int, int], running: list[tuple[int, float | None]], workers: int, *, timeless: bool
) -> list[Place]:
    per_char = estimate.seconds_per_char()
    starts = simulate(
        _people(counts, [owner for owner, _eta in running]),
        [(UNKNOWN_S if eta_s is None else eta_s, owner) for owner, eta_s in running],
        workers=max(1, workers),
        seconds=lambda chars: chars * per_char + estimate.OVERHEAD_S,
    )
    known = LONGEST if len(counts) <= MAX_PEOPLE else MAX_PEOPLE
    return [
        Place(job_id, owner, position, None if timeless else round(at_s, 1))
        for position, (job_id, owner, at_s) in zip(range(known), starts, strict=False)
    ]


def simulate(
    people: list[Person], ending: Iterable[tuple[float, int]], *, workers: int, seconds: Callable[[int], float]
) -> Iterator[tuple[str, int, float]]:
    """Turn after turn: a job, whose it is, and in how many seconds it starts. Ends where the jobs are not known.

    ``ending``: in how many seconds each running job ends, and whose it is. ``seconds``: of a job of so many characters.
    """
    by_id = {person.user_id: person for person in people}
    numbers = count()
    now_s = time.time()
    busy = [(at_s, next(numbers), owner) for at_s, owner in ending]
    idle = max(0, workers - len(busy))
    heapq.heapify(busy)
    at_s = 0.0
    while True:
        while idle and (person := _next_person(people)):
            if not person.jobs:
                return  # there are more than were read
            job_id, chars = person.jobs.popleft()
            number = next(numbers)
            person.waiting, person.running, person.served_s = person.waiting - 1, person.running + 1, now_s + number
            heapq.heappush(busy, (at_s + seconds(chars), number, person.user_id))
            idle -= 1
            yield job_id, person.user_id, at_s
        if not busy:
            return
        at_s, _number, owner = heapq.heappop(busy)
        idle += 1
        if owner in by_id:
            by_id[owner].running -= 1


def _next_person(people: list[Person]) -> Person | None:
    limit = settings.MAX_RUNNING_PER_USER
    able = (person for person in people if person.waiting and (not limit or person.running < limit))
    return min(able, key=Person.order, default=None)


def _people(counts: Mapping[int, int], runners: list[int]) -> list[Person]:
    """Everybody with a waiting job, and as many of the jobs as may get one of the places."""
    served = User.objects.filter(pk__in=counts).values_list("pk", "served_at")
    people = [
        Person(pk, runners.count(pk), counts[pk], served_at.timestamp() if served_at else float("-inf"))
        for pk, served_at in served
    ]
    people = sorted(people, key=Person.order)[:MAX_PEOPLE]
    jobs: dict[int, list[tuple[int, datetime.datetime, str, int]]] = {person.user_id: [] for person in people}
    for pk, owner, chars, priority, queued_at in _first_jobs(people):
        jobs[owner].append((-priority, queued_at, pk, chars))
    for person in people:
        person.jobs.extend((pk, chars) for _priority, _queued_at, pk, chars in sorted(jobs[person.user_id]))
    return people


def _first_jobs(people: list[Person]) -> Iterable[tuple[str, int, int, int, datetime.datetime]]:
    """Id, owner, characters, priority and time of each person's first jobs, in one query."""
    # Twice the even share: who has short jobs gets more turns than others.
    most = 2 * _even_share([person.waiting for person in people])
    firsts = [
        Job.objects.filter(pk__in=Job.objects.queued_of(person.user_id).values("pk")[:most])
        .order_by()
        .annotate(chars=Length("text"))
        .values_list("pk", "owner_id", "chars", "priority", "queued_at")
        for person in people
    ]
    return firsts[0].union(*firsts[1:], all=True)


def _even_share(counts: list[int]) -> int:
    """How many jobs of each person make ``LONGEST`` together, where some have fewer."""
    left, share = LONGEST, 1
    for number, waiting in enumerate(sorted(counts)):
        share = max(share, left // (len(counts) - number))
        left = max(0, left - min(waiting, share))
    return share
