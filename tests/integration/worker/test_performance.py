"""Jobs performed by the real engine against a real database."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from synthesis.audio import encode, wav
from synthesis.events.hints import hint_for
from synthesis.jobs import lifecycle, recovery, steering
from synthesis.models import Event, Job, Output, Voice
from synthesis.outputs import store
from synthesis.vocabulary import AudioFormat, Status
from tests.integration.worker.conftest import Perform, Submit, until, wav_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(job: Job) -> list[str]:
    return list(Event.objects.filter(job=job).order_by("seq").values_list("kind", flat=True))


def check_ledger(job: Job) -> None:
    """No gap, no duplicate; the last event says how it ended."""
    events = list(Event.objects.filter(job=job).order_by("seq").values_list("seq", "status"))
    assert [seq for seq, _status in events] == list(range(1, job.last_seq + 1))
    assert events[-1][1] == job.status


def test_a_job_becomes_files_in_every_format_with_its_recipe_inside(submit: Submit, perform: Perform) -> None:
    submit(seed=1986, format="mp3")
    job = perform()
    assert job.status == Status.COMPLETED
    check_ledger(job)
    outputs = {output.format: output for output in job.outputs.all()}
    assert set(outputs) == set(AudioFormat)
    assert job.main_output == outputs["mp3"].name
    for output in outputs.values():
        path = store.open_path(output.path)
        assert path.stat().st_size == output.size_bytes > 1000
        assert store.sha256(output.path) == output.sha256
        comment = json.loads(encode.read_tags(path)["comment"])
        assert comment["job"] == job.pk
        assert comment["synthetic"] is True
        assert comment["recipe"]["seed"] == 1986
        assert comment["recipe"]["engine"]["engine"] == "embedded"
    assert job.recipe["segments"][1]["sha256"] == job.segments.get(index=1).sha256
    assert job.fingerprint["engine"] == "embedded"
    samples, rate = wav.read_wav(store.open_path(outputs["wav"].path))
    assert rate == 24_000
    assert len(samples) / rate == pytest.approx(job.duration_s or 0, abs=0.01)


def test_the_same_recipe_gives_the_same_samples_and_another_seed_others(
    submit: Submit, perform: Perform, media: Path
) -> None:
    made = []
    for seed in (7, 7, 8):
        submit(seed=seed)
        made.append(wav_bytes(perform(), media))
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_a_reference_with_8_khz_is_used_with_a_warning(submit: Submit, perform: Perform, preset: Voice) -> None:
    preset.findings = [{"code": "low_sample_rate", "values": {"sample_rate_hz": 8000, "recommended_hz": 16000}}]
    preset.save()
    submit("Hello.")
    job = perform()
    assert job.status == Status.COMPLETED
    warning = Event.objects.get(job=job, level="WARNING")
    from synthesis.events import wire

    frame = wire.render(job.pk, wire.event_data(warning), "en")
    assert frame["message"] == "Input audio sample rate is 8kHz, recommend 16kHz"
    assert frame["hint"]


def test_a_segment_that_fails_fails_its_job_and_the_worker_lives(
    submit: Submit, perform: Perform, preset: Voice
) -> None:
    submit("The first sentence can be spoken without any trouble at all. これはほんとうにはなせません。")
    failed = perform()
    assert (failed.status, failed.error_code) == (Status.FAILED, "text_unspeakable")
    assert failed.error_message.startswith("Acoustic failed: ")
    assert failed.error_stage == "acoustic"
    assert hint_for(failed.error_code)
    check_ledger(failed)
    assert failed.outputs.count() == 0
    submit("This one is fine.")
    assert perform().status == Status.COMPLETED


def test_a_voice_whose_recording_is_gone_fails_with_a_reason(submit: Submit, perform: Perform, preset: Voice) -> None:
    store.remove(preset.path)
    submit("Hello.")
    failed = perform()
    assert (failed.status, failed.error_code, failed.error_stage) == (Status.FAILED, "voice_file_missing", "extract")


@pytest.mark.alone
def test_cancel_is_felt_at_once_and_leaves_no_output(
    submit: Submit, perform: Perform, while_running: Callable[[Callable[[], None]], None]
) -> None:
    job = submit("One more sentence that is spoken slowly. " * 60, speed=0.5)

    def cancel() -> None:
        wait_until_spoken(job)
        steering.ask(Job.objects.get(pk=job.pk), "cancel", None, by=job.owner, address=None)
        connection.close()

    while_running(cancel)
    cancelled = perform()
    assert cancelled.status == Status.CANCELLED
    check_ledger(cancelled)
    asked = Event.objects.get(job=job, kind="control")
    ended = Event.objects.get(job=job, kind="cancelled")
    assert (ended.at - asked.at).total_seconds() < 0.5
    assert Output.objects.count() == 0


def test_pause_keeps_finished_segments_and_resume_goes_on(
    submit: Submit, perform: Perform, media: Path, while_running: Callable[[Callable[[], None]], None]
) -> None:
    submit(seed=3)
    undisturbed = wav_bytes(perform(), media)
    job = submit(seed=3)

    def pause() -> None:
        wait_until_spoken(job)
        steering.ask(Job.objects.get(pk=job.pk), "pause", None, by=job.owner, address=None)
        connection.close()

    while_running(pause)
    paused = perform()
    assert paused.status == Status.PAUSED
    assert 0 < paused.segments_done < paused.segments_total
    steering.ask(paused, "resume", None, by=job.owner, address=None)
    done = perform()
    assert done.status == Status.COMPLETED
    check_ledger(done)
    assert wav_bytes(done, media) == undisturbed


def test_a_changed_speed_holds_from_the_next_segment_on(
    submit: Submit, perform: Perform, while_running: Callable[[Callable[[], None]], None]
) -> None:
    job = submit()

    def hurry() -> None:
        wait_until_spoken(job)
        steering.ask(Job.objects.get(pk=job.pk), "speed", 2.0, by=job.owner, address=None)
        connection.close()

    while_running(hurry)
    done = perform()
    assert done.status == Status.COMPLETED
    speeds = [segment["speed"] for segment in done.recipe["segments"]]
    assert speeds[0] == 1.0
    assert speeds[-1] == 2.0
    applied = Event.objects.get(job=job, kind="control", data__state="applied")
    assert applied.data["from_segment"] == speeds.index(2.0)


def test_a_stopped_worker_hands_back_and_the_next_one_goes_on(
    submit: Submit, perform: Callable[..., Job], media: Path
) -> None:
    submit(seed=5)
    undisturbed = wav_bytes(perform(), media)
    job = submit(seed=5)
    handed_back = perform(lambda: Job.objects.get(pk=job.pk).segments_done > 0)
    assert (handed_back.status, handed_back.segments_done) == (Status.QUEUED, 1)
    done = perform()
    assert done.status == Status.COMPLETED
    check_ledger(done)
    assert "requeued" in kinds(done)
    assert wav_bytes(done, media) == undisturbed


def test_a_worker_thought_dead_writes_nothing(submit: Submit, perform: Callable[..., Job], media: Path) -> None:
    job = submit()

    def lose_the_lease() -> bool:
        """Called from inside the engine's loops, as if this process had slept through its lease."""
        if Job.objects.filter(pk=job.pk, segments_done=1, attempt=1).exists():
            Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
            recovery.sweep()
            assert lifecycle.claim_next("successor")
        return False

    robbed = perform(lose_the_lease)
    assert (robbed.status, robbed.worker, robbed.attempt) == (Status.RUNNING, "successor", 2)
    assert robbed.segments_done == 1
    stored = {path.name for path in (media / "segments").rglob("*.wav")}
    assert stored == {"00000-1.wav"}


def wait_until_spoken(job: Job) -> None:
    """Until the first segment is being made: a job tells of its progress before, when it can still pause with none."""
    wait_for_event(job, "progress", data__stage="acoustic")


def wait_for_event(job: Job, kind: str, **with_data: object) -> None:
    until(Event.objects.filter(job=job, kind=kind, **with_data).exists)
