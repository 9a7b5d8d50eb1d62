"""Commands to jobs: asked, applied, refused."""

from __future__ import annotations

import pytest

from synthesis.errors import InvalidInput, NotNow
from synthesis.jobs import lifecycle, spec, steering
from synthesis.models import AuditEntry, Control, Event, Job, User, Voice
from synthesis.vocabulary import Status
from tests.conftest import make_voice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(owner: User, voice: Voice) -> Job:
    text = "The first sentence is here for you. The second sentence comes right after it. A third one ends the text."
    return lifecycle.submit(spec.validate({"text": text}, user=owner), owner=owner, address=None)


def ask(job: Job, command: str, value: object = None) -> Job:
    job.refresh_from_db()
    return steering.ask(job, command, value, by=job.owner, address="127.0.0.1")


def control_states(job: Job) -> list[tuple[str, str]]:
    events = Event.objects.filter(job=job, kind="control").order_by("seq")
    return [(event.data["command"], event.data["state"]) for event in events]


def test_a_waiting_job_is_cancelled_at_once(job: Job) -> None:
    assert ask(job, "cancel").status == Status.CANCELLED
    assert Control.objects.get().applied_at
    assert list(Event.objects.filter(job=job).values_list("seq", flat=True)) == [1, 2, 3]


def test_a_running_jobs_cancel_is_left_to_its_worker(job: Job) -> None:
    claim = lifecycle.claim_next("w")
    assert claim
    running = ask(job, "cancel")
    assert running.status == Status.RUNNING
    assert running.cancel_asked_at
    assert [control.command for control in steering.pending(claim)] == ["cancel"]


def test_pause_and_resume_of_a_waiting_job(job: Job) -> None:
    assert ask(job, "pause").status == Status.PAUSED
    assert lifecycle.claim_next("w") is None
    resumed = ask(job, "resume")
    assert (resumed.status, resumed.attempt) == (Status.QUEUED, 2)
    assert lifecycle.claim_next("w")


def test_speed_holds_from_the_next_segment_on(job: Job) -> None:
    claim = lifecycle.claim_next("w")
    assert claim
    ask(job, "speed", 1.5)
    (control,) = steering.pending(claim)
    steering.apply(claim, control, 1)
    speeds = list(job.segments.values_list("speed", flat=True))
    assert speeds[0] == 1.0
    assert set(speeds[1:]) == {1.5}
    assert control_states(job) == [("speed", "asked"), ("speed", "applied")]
    assert steering.pending(claim) == []


def test_priority_is_applied_at_once(job: Job) -> None:
    assert ask(job, "priority", 3).priority == 3
    assert control_states(job) == [("priority", "asked"), ("priority", "applied")]


@pytest.mark.parametrize(
    ("command", "value"), [("speed", 0), ("speed", None), ("voice", "nobody"), ("priority", "high"), ("sing", None)]
)
def test_a_wrong_command_leaves_nothing_but_the_refusal(job: Job, command: str, value: object) -> None:
    with pytest.raises(InvalidInput):
        ask(job, command, value)
    assert Control.objects.count() == 0
    assert control_states(job) == []


def test_an_ended_job_takes_no_command_and_the_audit_keeps_the_try(job: Job) -> None:
    ask(job, "cancel")
    with pytest.raises(NotNow):
        ask(job, "resume")
    assert Control.objects.count() == 1
    assert AuditEntry.objects.filter(action="job.control").count() == 2


def test_facts_keep_a_voices_name_as_it_was_then(job: Job) -> None:
    other = make_voice("Mingyuan")
    claim = lifecycle.claim_next("w")
    assert claim
    ask(job, "voice", other.pk)
    (control,) = steering.pending(claim)
    steering.apply(claim, control, 1)
    Voice.objects.filter(pk=other.pk).update(name="Renamed")
    events = Event.objects.filter(job=job, kind="control").order_by("seq")
    assert [event.data["voice_name"] for event in events] == ["Mingyuan", "Mingyuan"]
