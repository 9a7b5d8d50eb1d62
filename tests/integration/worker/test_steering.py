"""Jobs that are steered while the real engine speaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthesis.jobs import lifecycle, steering
from synthesis.models import Control, Event, Job, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import Stage, Status
from synthesis.voices import library
from tests.conftest import make_voice
from tests.integration.worker.conftest import Submit, wav_bytes
from tests.integration.worker.test_performance import check_ledger, kinds

pytestmark = pytest.mark.django_db(transaction=True)

PerformWith = Callable[..., Job]
Wish = tuple[str, Any, bool]


def ask(job: Job, command: str, value: object = None, *, redo: bool = False) -> Job:
    return steering.ask(Job.objects.get(pk=job.pk), command, value, redo=redo, by=job.owner, address=None)


def while_made(job: Job, segment: int, *wishes: Wish, stage: Stage = Stage.ACOUSTIC) -> Callable[[], bool]:
    """Called from inside the worker's loops: asks once, while the segment is in that stage."""
    left = list(wishes)
    step = 2 + 2 * segment + (stage is Stage.VOCODER)

    def look() -> bool:
        if left and Job.objects.filter(pk=job.pk, segments_done=segment, step=step).exists():
            for command, value, redo in left:
                ask(job, command, value, redo=redo)
            left.clear()
        return False

    return look


def facts_of(job: Job) -> list[tuple[Any, ...]]:
    """What was asked and done, by whom, from which segment on: in order."""
    return [
        ("paused", event.data["by"])
        if event.kind == "paused"
        else tuple(event.data[key] for key in ("command", "state", "value", "by", "from_segment", "redo"))
        for event in Event.objects.filter(job=job, kind__in=("control", "paused")).order_by("seq")
    ]


@pytest.fixture
def other(db: None) -> Voice:
    return make_voice("Other", preset="bob")


@pytest.mark.parametrize("stage", [Stage.ACOUSTIC, Stage.VOCODER])
def test_a_change_with_redo_holds_from_the_segment_being_made(
    stage: Stage, submit: Submit, perform: PerformWith, media: Path
) -> None:
    job = submit(seed=4)
    without_redo = perform(while_made(job, 0, ("speed", 1.5, False)))
    job = submit(seed=4)
    redone = perform(while_made(job, 1, ("speed", 1.5, True), stage=stage))
    check_ledger(redone)
    assert facts_of(redone) == [
        ("speed", "asked", 1.5, "alice", None, True),
        ("speed", "applied", 1.5, "alice", 1, True),
    ]
    assert [segment["speed"] for segment in redone.recipe["segments"]] == [1.0, 1.5, 1.5]
    assert wav_bytes(redone, media) == wav_bytes(without_redo, media)
    dropped = Event.objects.get(job=job, kind="log", data__code="segment_dropped")
    assert dropped.data["values"] == {"number": 2}
    progress = list(Event.objects.filter(job=job, kind="progress").order_by("seq").values_list("data", flat=True))
    assert [fact["progress"] for fact in progress] == sorted(fact["progress"] for fact in progress)
    assert kinds(redone).count("segment") == 3


def test_a_paused_hurried_and_revoiced_job_has_exactly_these_facts_and_its_recipe_holds_them(
    submit: Submit, perform: PerformWith, other: Voice
) -> None:
    job = submit()
    paused = perform(while_made(job, 0, ("speed", 1.5, False), ("pause", None, False)))
    assert (paused.status, paused.segments_done, paused.worker) == (Status.PAUSED, 1, "")
    ask(job, "voice", other.pk)
    ask(job, "resume")
    done = perform(while_made(job, 2, ("instruct", "speak gently", True)))
    assert done.status == Status.COMPLETED
    check_ledger(done)
    assert facts_of(done) == [
        ("speed", "asked", 1.5, "alice", None, False),
        ("pause", "asked", None, "alice", None, False),
        ("speed", "applied", 1.5, "alice", 1, False),
        ("paused", "alice"),
        ("voice", "asked", other.pk, "alice", None, False),
        ("voice", "applied", other.pk, "alice", 1, False),
        ("resume", "asked", None, "alice", None, False),
        ("instruct", "asked", "speak gently", "alice", None, True),
        ("instruct", "applied", "speak gently", "alice", 2, True),
    ]
    assert [control.state for control in Control.objects.all()] == ["applied"] * 5
    assert done.recipe["steering"] == [
        {"command": "speed", "value": 1.5, "from_segment": 1, "redo": False},
        {"command": "pause", "value": None, "from_segment": 1, "redo": False},
        {"command": "voice", "value": other.pk, "from_segment": 1, "redo": False, "voice_sha256": other.sha256},
        {"command": "instruct", "value": "speak gently", "from_segment": 2, "redo": True},
    ]
    made = done.recipe["segments"]
    assert [segment["speed"] for segment in made] == [1.0, 1.5, 1.5]
    assert [segment["instruct"] for segment in made] == ["", "", "speak gently"]
    assert [segment["voice_sha256"] for segment in made] == [job.voice.sha256, other.sha256, other.sha256]


def test_a_pause_during_the_last_segment_holds_before_the_files_and_resume_goes_straight_to_them(
    submit: Submit, perform: PerformWith
) -> None:
    job = submit()
    paused = perform(while_made(job, 2, ("pause", None, False), ("pause", None, False)))
    assert (paused.status, paused.segments_done) == (Status.PAUSED, 3)
    assert paused.outputs.count() == 0
    assert {control.from_segment for control in Control.objects.all()} == {3}
    ask(job, "resume")
    done = perform()
    assert done.status == Status.COMPLETED
    check_ledger(done)
    assert kinds(done).count("segment") == 3


def test_a_paused_job_leaves_its_worker_to_others(submit: Submit, perform: PerformWith) -> None:
    job = submit()
    assert perform(while_made(job, 0, ("pause", None, False))).status == Status.PAUSED
    submit("Hello.")
    assert perform().status == Status.COMPLETED
    job.refresh_from_db()
    assert job.status == Status.PAUSED


def test_what_came_too_late_is_told_before_the_end(submit: Submit, perform: PerformWith) -> None:
    job = submit()
    done = perform(while_made(job, 2, ("speed", 1.5, False)))
    assert done.status == Status.COMPLETED
    check_ledger(done)
    assert facts_of(done)[-1] == ("speed", "lapsed", 1.5, "alice", None, False)
    assert kinds(done)[-2:] == ["control", "completed"]
    assert Event.objects.filter(job=job, status=Status.COMPLETED).count() == 1
    assert Control.objects.get().state == "lapsed"
    assert done.recipe["steering"] == []


def test_a_priority_is_applied_to_a_running_and_to_a_paused_job_at_once(submit: Submit) -> None:
    job = submit()
    assert lifecycle.claim_next("w")
    assert ask(job, "priority", 5).priority == 5
    waiting = submit()
    ask(waiting, "pause")
    assert ask(waiting, "priority", -3).priority == -3
    assert [control.state for control in Control.objects.filter(command="priority")] == ["applied", "applied"]


def test_the_recordings_of_a_paused_jobs_voices_stay_when_they_are_deleted(
    submit: Submit, perform: PerformWith, owner: User
) -> None:
    first, second, third = (make_voice(name, owner=owner, preset="bob") for name in ("First", "Second", "Third"))
    job = submit(prompt_audio=first.pk)
    perform(while_made(job, 0, ("voice", second.pk, False), ("pause", None, False)))
    for voice in (first, second, third):
        library.delete(voice, by=owner, address=None)
    assert store.open_path(first.path).exists()  # of the finished segment, which may be made again
    assert store.open_path(second.path).exists()
    assert not store.open_path(third.path).exists()
    ask(job, "resume")
    assert perform().status == Status.COMPLETED


def test_the_recording_of_a_voice_that_is_only_asked_for_stays(submit: Submit, owner: User) -> None:
    asked = make_voice("Asked", owner=owner)
    job = submit()
    assert lifecycle.claim_next("w")
    ask(job, "voice", asked.pk)
    library.delete(asked, by=owner, address=None)
    assert store.open_path(asked.path).exists()
