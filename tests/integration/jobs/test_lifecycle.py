"""A job's way through its statuses, with a real database and a real Redis."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable

import django_rq
import pytest
from django.db import connection
from django.utils import timezone

from synthesis.errors import InvalidInput
from synthesis.events import facts
from synthesis.jobs import lifecycle, queue, recovery, spec
from synthesis.jobs.lifecycle import LeaseLost
from synthesis.models import AuditEntry, Event, Job, Segment, User, Voice
from synthesis.vocabulary import Status

pytestmark = pytest.mark.django_db(transaction=True)
LONG = (
    "The first sentence is here. The second one follows it closely! And does the third one end the text? Yes, it does."
)


def submit(owner: User, text: str = LONG, **raw: object) -> Job:
    checked = spec.validate({"text": text, **raw}, user=owner)
    return lifecycle.submit(checked, owner=owner, address="127.0.0.1")


def kinds(job: Job) -> list[str]:
    return list(Event.objects.filter(job=job).order_by("seq").values_list("kind", flat=True))


def seqs(job: Job) -> list[int]:
    return list(Event.objects.filter(job=job).order_by("seq").values_list("seq", flat=True))


def finished(job: Job) -> facts.Completed:
    return facts.Completed(output="x.wav", seed=job.seed, duration_s=1.0, compute_s=0.1, sha256="0")


def test_submit_stores_job_segments_event_audit_and_ticket(owner: User, voice: Voice) -> None:
    job = submit(owner, seed=1986)
    assert (job.status, job.seed, job.voice) == (Status.QUEUED, 1986, voice)
    assert job.segments_total == Segment.objects.filter(job=job).count() > 1
    assert kinds(job) == ["queued"]
    assert AuditEntry.objects.get(action="job.submit").object_id == job.pk
    assert queue.tickets() == 1
    assert django_rq.get_queue(queue.NAME).jobs[0].func_name == queue.TASK


def test_segment_seeds_depend_on_job_seed_and_index_alone(owner: User, voice: Voice) -> None:
    one, same, other = (submit(owner, seed=seed) for seed in (5, 5, 6))

    def seeds(job: Job) -> list[int]:
        return list(job.segments.values_list("seed", flat=True))

    assert seeds(one) == seeds(same)
    assert not set(seeds(one)) & set(seeds(other))
    assert len(set(seeds(one))) == len(seeds(one))


def test_the_same_idempotency_key_gives_the_first_job(owner: User, teammate: User, voice: Voice) -> None:
    checked = spec.validate({"text": LONG}, user=owner)
    first = lifecycle.submit(checked, owner=owner, address=None, idempotency_key="k")
    again = lifecycle.submit(checked, owner=owner, address=None, idempotency_key="k")
    others = lifecycle.submit(checked, owner=teammate, address=None, idempotency_key="k")
    assert first == again != others
    assert Job.objects.count() == 2
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "  \n "}, "text"),
        ({"text": "x" * 100_000}, "text"),
        ({"text": "…!?"}, "text"),
        ({"text": 7}, "text"),
        ({"text": "a", "prompt_audio": "nobody"}, "prompt_audio"),
        ({"text": "a", "seed": "many"}, "seed"),
        ({"text": "a", "seed": -1}, "seed"),
        ({"text": "a", "seed": 1.5}, "seed"),
        ({"text": "a", "seed": True}, "seed"),
        ({"text": "a", "seed": 2**60}, "seed"),
        ({"text": "a", "speed": 0}, "speed"),
        ({"text": "a", "speed": "fast"}, "speed"),
        ({"text": "a", "speed": float("nan")}, "speed"),
        ({"text": "a", "mode": "sing"}, "mode"),
        ({"text": "a", "format": "exe"}, "format"),
        ({"text": "a", "instruct": "x" * 501}, "instruct"),
        ({"text": "a", "priority": 99}, "priority"),
    ],
)
def test_bad_input_names_its_field_and_leaves_nothing(
    owner: User, voice: Voice, raw: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        submit(owner, **{"text": "a", **raw})  # type: ignore[arg-type]
    assert list(caught.value.fields) == [field]
    assert str(caught.value.fields[field])
    assert Job.objects.count() == Event.objects.count() == AuditEntry.objects.count() == queue.tickets() == 0


def test_everything_wrong_is_told_at_once(owner: User, voice: Voice) -> None:
    with pytest.raises(InvalidInput) as caught:
        submit(owner, text="", seed="x", speed=9)
    assert set(caught.value.fields) == {"text", "seed", "speed"}


def test_a_voice_of_somebody_else_does_not_exist(owner: User, teammate: User, voice: Voice) -> None:
    from tests.conftest import make_voice

    private = make_voice("Private", owner=teammate)
    with pytest.raises(InvalidInput):
        submit(owner, prompt_audio=private.pk)
    private.shared = True
    private.save()
    assert submit(owner, prompt_audio=private.pk).voice == private


def test_a_claim_takes_the_job_whose_turn_it_is(owner: User, voice: Voice) -> None:
    first, second, urgent = submit(owner), submit(owner), submit(owner, priority=5)
    taken = [claim.job_id for claim in iter(lambda: lifecycle.claim_next("w"), None) if claim]
    assert taken == [urgent.pk, first.pk, second.pk]


def test_many_workers_claim_each_job_once(owner: User, voice: Voice) -> None:
    jobs = {submit(owner, text="One.").pk for _ in range(12)}
    taken: list[str] = []

    def work(name: str) -> None:
        while claim := lifecycle.claim_next(name):
            taken.append(claim.job_id)
        connection.close()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(jobs)


def test_events_count_without_gap_and_end_with_the_end(owner: User, voice: Voice) -> None:
    job = submit(owner)
    claim = lifecycle.claim_next("w")
    assert claim
    started = facts.Started(worker="w", engine="e", attempt=1, segments=2)
    lifecycle.note(claim, [started, started])
    lifecycle.complete(claim, finished(job))
    assert seqs(job) == [1, 2, 3, 4]
    job.refresh_from_db()
    assert (job.status, job.progress, job.last_seq) == (Status.COMPLETED, 1.0, 4)


def test_an_ended_job_accepts_nothing(owner: User, voice: Voice) -> None:
    job = submit(owner)
    claim = lifecycle.claim_next("w")
    assert claim
    lifecycle.complete(claim, finished(job))
    failed = facts.Failed(stage="save", code="engine_error", message="late")
    with pytest.raises(LeaseLost):
        lifecycle.fail(claim, failed, "")
    with pytest.raises(LeaseLost):
        lifecycle.note(claim, [failed])
    assert not lifecycle.cancel_waiting(job.pk, "alice")
    assert kinds(job)[-1] == "completed"


def test_a_dead_workers_job_waits_again_and_its_old_claim_is_void(owner: User, voice: Voice) -> None:
    job = submit(owner)
    claim = lifecycle.claim_next("dead")
    assert claim
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    recovery.sweep()
    job.refresh_from_db()
    assert (job.status, job.attempt, job.deaths) == (Status.QUEUED, 2, 1)
    assert not lifecycle.renew(claim)
    with pytest.raises(LeaseLost):
        lifecycle.complete(claim, finished(job))
    assert kinds(job) == ["queued", "requeued"]
    fresh = lifecycle.claim_next("alive")
    assert fresh
    assert fresh.attempt == 2


def test_a_job_that_kills_its_workers_fails_in_the_end(owner: User, voice: Voice) -> None:
    job = submit(owner)
    for _ in range(lifecycle.MAX_ATTEMPTS):
        assert lifecycle.claim_next("victim")
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
        recovery.sweep()
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "attempts_exhausted")
    assert lifecycle.claim_next("next") is None


def test_a_stopped_worker_hands_its_job_back(owner: User, voice: Voice) -> None:
    job = submit(owner)
    claim = lifecycle.claim_next("w")
    assert claim
    lifecycle.hand_back(claim)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.deaths) == (Status.QUEUED, 2, 0)
    assert queue.tickets() == 2


def test_jobs_whose_tickets_were_lost_get_new_ones(owner: User, voice: Voice, make_job: Callable[..., Job]) -> None:
    for _ in range(3):
        job = make_job(owner)
        Job.objects.filter(pk=job.pk).update(queued_at=timezone.now() - datetime.timedelta(seconds=60))
    assert queue.tickets() == 0
    recovery.sweep()
    assert queue.tickets() == 3
    recovery.sweep()
    assert queue.tickets() == 3
