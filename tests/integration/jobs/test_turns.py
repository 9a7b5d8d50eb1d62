"""Turns between people, as workers really take them and as the board says them in advance."""

from __future__ import annotations

import datetime
import random
import threading
from collections.abc import Callable
from typing import Any

import django_rq
import pytest
from django.db import connection
from django.utils import timezone

from synthesis.errors import Forbidden, RateLimited
from synthesis.events import facts
from synthesis.jobs import board, intake, lifecycle, queue, recovery, spec
from synthesis.models import AuditEntry, Batch, Event, Job, User, Voice, WorkerState
from synthesis.vocabulary import Status

pytestmark = pytest.mark.django_db(transaction=True)
MakeJob = Callable[..., Job]


def claim_all(*, ending: bool = True) -> list[str]:
    """The jobs in the order in which one worker takes them."""
    taken = []
    while claim := lifecycle.claim_next("w"):
        taken.append(claim.job_id)
        if ending:
            lifecycle.complete(claim, facts.Completed(output="x", seed=1, duration_s=1.0, compute_s=0.1, sha256="0"))
    return taken


def live_workers(number: int) -> None:
    now = timezone.now()
    for index in range(number):
        WorkerState.objects.create(
            name=f"w{index}", host="h", pid=index, engine="embedded", started_at=now, heartbeat_at=now
        )


def test_one_persons_hundred_jobs_do_not_block_anothers_one(
    owner: User, teammate: User, make_job: MakeJob, voice: Voice
) -> None:
    mine = [make_job(owner) for _ in range(100)]
    first = lifecycle.claim_next("w")
    assert first
    assert first.job_id == mine[0].pk
    single = make_job(teammate)
    assert board.read().place_of(single.pk)[0] == 0
    lifecycle.complete(first, facts.Completed(output="x", seed=1, duration_s=1.0, compute_s=0.1, sha256="0"))
    assert claim_all()[:2] == [single.pk, mine[1].pk]


def test_a_priority_orders_ones_own_jobs_and_passes_nobody_else(owner: User, teammate: User, make_job: MakeJob) -> None:
    theirs = [make_job(teammate) for _ in range(2)]
    slow, normal, urgent = (make_job(owner, priority=priority) for priority in (-5, 0, 10))
    User.objects.filter(pk=owner.pk).update(served_at=timezone.now())
    assert claim_all() == [theirs[0].pk, urgent.pk, theirs[1].pk, normal.pk, slow.pk]


def test_who_has_fewer_running_jobs_comes_first(owner: User, teammate: User, make_job: MakeJob) -> None:
    make_job(owner, status=Status.RUNNING)
    User.objects.filter(pk=teammate.pk).update(served_at=timezone.now())
    mine, theirs = make_job(owner), make_job(teammate)
    assert claim_all(ending=False) == [theirs.pk, mine.pk]


def test_a_limit_of_running_jobs_lets_others_go_on(
    owner: User, teammate: User, make_job: MakeJob, settings: Any
) -> None:
    settings.MAX_RUNNING_PER_USER = 1
    mine, more = make_job(owner), make_job(owner)
    claim = lifecycle.claim_next("w")
    assert claim
    assert claim.job_id == mine.pk
    assert lifecycle.claim_next("v") is None
    Job.objects.update(queued_at=timezone.now() - datetime.timedelta(seconds=60))
    recovery.sweep()
    assert queue.tickets() == 0  # nobody could do anything with one
    theirs = make_job(teammate)
    assert claim_all(ending=False) == [theirs.pk]
    tickets = queue.tickets() or 0
    lifecycle.complete(claim, facts.Completed(output="x", seed=1, duration_s=1.0, compute_s=0.1, sha256="0"))
    assert queue.tickets() == tickets + 1
    assert claim_all(ending=False) == [more.pk]


def test_workers_at_once_serve_everybody_before_anybody_twice(
    owner: User, teammate: User, administrator: User, make_job: MakeJob
) -> None:
    people = [owner, teammate, administrator]
    for user in people:
        for _ in range(4):
            make_job(user)
    gate = threading.Barrier(3)
    taken: list[str] = []

    def work(name: str) -> None:
        gate.wait(10)
        claim = lifecycle.claim_next(name)
        if claim:
            taken.append(claim.job_id)
        connection.close()

    for _round in range(4):
        taken.clear()
        threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {job.owner for job in Job.objects.filter(pk__in=taken)} == set(people)
    assert Job.objects.filter(status=Status.QUEUED).count() == 0


@pytest.mark.parametrize("seed", range(6))
def test_the_board_says_the_order_in_which_one_worker_takes_them(seed: int, make_job: MakeJob) -> None:
    draw = random.Random(seed)  # noqa: S311 cases of a test
    live_workers(1)
    now = timezone.now()
    for number in range(draw.randint(2, 7)):
        user = User.objects.create_user(f"person{number}")
        if draw.random() < 0.6:
            served = now - datetime.timedelta(seconds=draw.randint(1, 1000))
            User.objects.filter(pk=user.pk).update(served_at=served)
        for _ in range(draw.choice([1, 2, 5, 20])):
            make_job(user, priority=draw.randint(-2, 2), text="word " * draw.randint(1, 50))
    places = board.read().places
    assert [place.position for place in places] == list(range(Job.objects.count()))
    etas = [place.eta_s for place in places if place.eta_s is not None]
    assert etas == sorted(etas)
    assert len(etas) == len(places)
    assert [place.job_id for place in places] == claim_all()


def test_the_board_adds_up_times_over_the_workers(owner: User, make_job: MakeJob) -> None:
    live_workers(2)
    make_job(owner, status=Status.RUNNING, eta_s=10.0)
    jobs = [make_job(owner, text="x" * 100) for _ in range(4)]
    each = 100 * 0.03 + 0.5
    places = board.read().places
    assert [place.job_id for place in places] == [job.pk for job in jobs]
    assert [place.eta_s for place in places] == pytest.approx([0.0, each, 2 * each, 10.0])


def test_the_board_costs_the_same_however_long_the_queue_is(
    owner: User, teammate: User, make_job: MakeJob, django_assert_num_queries: Any
) -> None:
    live_workers(1)
    make_job(owner)
    with django_assert_num_queries(7) as few:
        board.read()
    template = make_job(teammate)
    Job.objects.bulk_create(
        Job(owner=teammate, voice=template.voice, text="x", seed=1, queued_at=timezone.now()) for _ in range(900)
    )
    with django_assert_num_queries(len(few)):
        now = board.read()
    assert (now.queued, len(now.places)) == (902, board.LONGEST)
    assert now.place_of(Job.objects.get(owner=owner).pk)[0] < 2


def test_without_a_worker_places_are_known_and_times_are_not(owner: User, make_job: MakeJob) -> None:
    make_job(owner)
    (place,) = board.read().places
    assert (place.position, place.eta_s) == (0, None)


def test_too_many_jobs_at_once_are_refused_and_leave_nothing(owner: User, voice: Voice, settings: Any) -> None:
    settings.MAX_QUEUED_PER_USER = 3
    checked = spec.validate({"text": "Hello."}, user=owner)
    lifecycle.submit(checked, owner=owner, address=None)
    before = (Event.objects.count(), AuditEntry.objects.count(), queue.tickets())
    with pytest.raises(RateLimited) as refused:
        lifecycle.submit_batch([checked] * 3, owner=owner, address=None, title="")
    assert "1" in str(refused.value.message)  # how many wait
    assert (Job.objects.count(), Batch.objects.count()) == (1, 0)
    assert (Event.objects.count(), AuditEntry.objects.count(), queue.tickets()) == before
    lifecycle.submit_batch([checked] * 2, owner=owner, address=None, title="")
    with pytest.raises(RateLimited):
        lifecycle.submit(checked, owner=owner, address=None)
    Job.objects.update(status=Status.PAUSED)  # what is paused takes no room
    lifecycle.submit(checked, owner=owner, address=None)


def test_a_repeated_submission_gets_its_job_even_over_the_limit(owner: User, voice: Voice, settings: Any) -> None:
    settings.MAX_QUEUED_PER_USER = 1
    checked = spec.validate({"text": "Hello."}, user=owner)
    first = lifecycle.submit(checked, owner=owner, address=None, idempotency_key="k")
    assert lifecycle.submit(checked, owner=owner, address=None, idempotency_key="k") == first


def test_an_administrator_has_the_same_limit(administrator: User, voice: Voice, settings: Any) -> None:
    settings.MAX_QUEUED_PER_USER = 1
    checked = spec.validate({"text": "Hello."}, user=administrator)
    lifecycle.submit(checked, owner=administrator, address=None)
    with pytest.raises(RateLimited):
        lifecycle.submit(checked, owner=administrator, address=None)


def test_a_paused_queue_takes_jobs_and_starts_none(
    owner: User, administrator: User, voice: Voice, make_job: MakeJob
) -> None:
    live_workers(1)
    job = make_job(owner)
    running = lifecycle.claim_next("w")
    assert running
    waiting = make_job(owner)
    intake.pause(by=administrator, address="127.0.0.1")
    intake.pause(by=administrator, address="127.0.0.1")
    assert lifecycle.claim_next("w") is None
    assert lifecycle.renew(running)
    recovery.sweep()
    assert queue.tickets() == 0
    told = board.read()
    assert (told.paused, told.paused_by, told.place_of(waiting.pk)) == (True, "root", (0, None))
    lifecycle.submit(spec.validate({"text": "Hello."}, user=owner), owner=owner, address=None)
    django_rq.get_queue(queue.NAME).connection.flushdb()
    intake.resume(by=administrator, address="127.0.0.1")
    assert queue.tickets() == 2
    assert lifecycle.claim_next("v")
    assert not board.read().paused
    assert list(AuditEntry.objects.filter(action__startswith="queue.").values_list("action", flat=True)) == [
        "queue.resume",
        "queue.pause",
    ]
    assert job.pk == running.job_id


def test_only_administrators_pause_the_queue(owner: User) -> None:
    for command in (intake.pause, intake.resume):
        with pytest.raises(Forbidden):
            command(by=owner, address=None)
    assert not board.read().paused
    assert not AuditEntry.objects.exists()
