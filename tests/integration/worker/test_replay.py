"""Jobs run again from their recipe: the same samples, or an honest verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import translation

from synthesis.audio import wav
from synthesis.errors import NotNow
from synthesis.events import wire
from synthesis.jobs import lifecycle, replay, steering
from synthesis.models import AuditEntry, Event, Job, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import AudioFormat, Status
from tests.conftest import make_voice, tone
from tests.integration.worker.conftest import Perform, Submit, wav_bytes
from tests.integration.worker.test_performance import check_ledger, wait_for_event

pytestmark = pytest.mark.django_db(transaction=True)


def again(job: Job, by: User | None = None, *, verify: bool = True) -> Job:
    return replay.start(job, by=by or job.owner, address=None, verify=verify)


def joined(job: Job) -> bytes:
    """The samples of the finished file."""
    samples, _rate = wav.read_wav(store.open_path(job.outputs.get(format=AudioFormat.WAV).path))
    return samples.tobytes()


def test_a_replay_is_identical_and_says_so(submit: Submit, perform: Perform, media: Path) -> None:
    submit(seed=1986, instruct="speak gently", format="flac")
    first = perform()
    waiting = again(first)
    assert (waiting.status, waiting.verdict, waiting.replay_of) == (Status.QUEUED, {"pending": True}, first)
    second = perform()
    assert (second.pk, second.status, second.format) == (waiting.pk, Status.COMPLETED, "flac")
    assert second.verdict == {"identical": True, "segment": None, "compared": first.segments_total, "changed": []}
    assert wav_bytes(second, media) == wav_bytes(first, media)
    assert joined(second) == joined(first)
    check_ledger(second)
    event = Event.objects.get(job=second, kind="verified")
    frame = wire.render(second.pk, wire.event_data(event), "en")
    assert frame["message"] == f"Compared with job {first.pk}: Identical to the sample"
    assert (frame["level"], frame["replay"]["identical"]) == ("INFO", True)
    assert AuditEntry.objects.get(action="job.replay").detail["replay_of"] == first.pk


def test_a_replay_of_a_job_that_was_paused_sped_up_and_given_another_voice_is_identical(
    submit: Submit, perform: Perform, media: Path, while_running: Callable[[Callable[[], None]], None], owner: User
) -> None:
    other = make_voice("Other", owner=owner, preset="henry")
    job = submit("A first sentence begins this text, slowly. " * 8, seed=11)

    def steer() -> None:
        wait_for_event(job, "segment")
        with transaction.atomic():  # or the worker may take up one of them before the next is asked
            for command, value in (("speed", 1.6), ("voice", other.pk), ("pause", None)):
                steering.ask(Job.objects.get(pk=job.pk), command, value, by=owner, address=None)
        connection.close()

    while_running(steer)
    paused = perform()
    assert paused.status == Status.PAUSED
    steering.ask(paused, "resume", None, by=owner, address=None)
    first = perform()
    assert first.status == Status.COMPLETED
    made_with = {(segment.speed, segment.voice_id) for segment in first.segments.all()}
    assert made_with == {(1.0, first.voice_id), (1.6, other.pk)}
    again(first)
    second = perform()
    assert second.verdict
    assert second.verdict["identical"] is True
    assert wav_bytes(second, media) == wav_bytes(first, media)
    assert joined(second) == joined(first)


def pretend_made_elsewhere(job: Job, index: int) -> None:
    """What is stored of a job, as another engine version would have left it."""
    recipe, fingerprint = job.recipe, job.fingerprint
    for segment in recipe["segments"][index:]:
        segment["sha256"] = "0" * 64
    recipe["engine"]["version"] = fingerprint["version"] = "0.0.1"
    Job.objects.filter(pk=job.pk).update(recipe=recipe, fingerprint=fingerprint)


def test_after_the_engine_changed_the_verdict_says_what_and_from_where(submit: Submit, perform: Perform) -> None:
    submit(seed=3)
    first = perform()
    pretend_made_elsewhere(first, 1)
    first.refresh_from_db()
    again(first)
    second = perform()
    version = second.fingerprint["version"]
    assert second.verdict == {
        "identical": False,
        "segment": 1,
        "compared": first.segments_total,
        "changed": [{"what": "engine_version", "before": "0.0.1", "after": version}],
    }
    event = Event.objects.get(job=second, kind="verified")
    assert event.level == "WARNING"
    assert "segment 2" in wire.render(second.pk, wire.event_data(event), "en").get("message", "")


def test_a_difference_that_nothing_explains_is_told_as_such(submit: Submit, perform: Perform) -> None:
    submit("One short sentence.", seed=3)
    first = perform()
    first.recipe["segments"][0]["sha256"] = "0" * 64
    first.save(update_fields=["recipe"])
    again(first)
    verdict = perform().verdict
    assert verdict
    assert (verdict["identical"], verdict["segment"], verdict["changed"]) == (False, 0, [])


def test_a_replaced_recording_is_named(submit: Submit, perform: Perform, owner: User) -> None:
    voice = make_voice("Mine", owner=owner)
    submit("One short sentence.", prompt_audio=voice.pk)
    first = perform()
    with store.writing(voice.path) as path:
        wav.write_wav(path, tone(hz=260.0))
    Voice.objects.filter(pk=voice.pk).update(sha256=store.sha256(voice.path))
    again(first)
    verdict = perform().verdict
    assert verdict
    assert (verdict["identical"], verdict["segment"]) == (False, 0)
    assert [change["what"] for change in verdict["changed"]] == ["voice_file"]
    assert verdict["changed"][0]["after"] == store.sha256(voice.path)


@pytest.mark.parametrize("verify", [True, False])
def test_a_job_that_never_finished_a_segment_has_nothing_to_compare(
    submit: Submit, perform: Perform, verify: bool
) -> None:
    job = submit("One short sentence.")
    lifecycle.cancel_waiting(job.pk, "alice")
    job.refresh_from_db()
    assert again(job, verify=verify).verdict is None
    done = perform()
    assert (done.status, done.verdict) == (Status.COMPLETED, None)
    assert not Event.objects.filter(kind="verified").exists()


def test_a_cancelled_jobs_finished_segments_are_compared(
    submit: Submit, perform: Callable[..., Job], owner: User
) -> None:
    job = submit(seed=5)
    stopped = perform(lambda: Job.objects.get(pk=job.pk).segments_done > 0)
    lifecycle.cancel_waiting(stopped.pk, "alice")
    stopped.refresh_from_db()
    assert (stopped.status, stopped.recipe) == (Status.CANCELLED, {})
    again(stopped)
    assert perform().verdict == {"identical": True, "segment": None, "compared": 1, "changed": []}


def test_what_cannot_be_replayed_is_refused_with_a_reason(submit: Submit, perform: Perform, owner: User) -> None:
    voice = make_voice("Mine", owner=owner)
    job = submit("One short sentence.", prompt_audio=voice.pk)
    with pytest.raises(NotNow, match=str(job.get_status_display())):
        again(job)
    first = perform()
    store.remove(voice.path)
    with translation.override("en"):
        with pytest.raises(NotNow, match="The recording of the voice “Mine” is gone"):
            again(first)
        Voice.objects.filter(pk=voice.pk).update(deleted_at=first.created_at)
        with pytest.raises(NotNow, match="The voice “Mine” was deleted or is not shared any more"):
            again(first)
    assert Job.objects.count() == 1


def test_the_replay_of_an_administrator_is_their_own(
    submit: Submit, perform: Perform, administrator: User, owner: User
) -> None:
    submit("One short sentence.")
    first = perform()
    second = again(first, by=administrator)
    assert (second.owner, second.replay_of) == (administrator, first)
    assert perform().verdict
