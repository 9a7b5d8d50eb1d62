"""One segment made again: everything else stays, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from synthesis.errors import InvalidInput, NotNow
from synthesis.jobs import lifecycle, redo, steering
from synthesis.jobs.seeds import segment_seed
from synthesis.models import AuditEntry, Event, Job, Output, User
from synthesis.outputs import store
from synthesis.vocabulary import Status
from tests.conftest import make_voice
from tests.integration.worker.conftest import Perform, Submit, wav_bytes
from tests.integration.worker.test_performance import check_ledger, kinds

pytestmark = pytest.mark.django_db(transaction=True)


def ask(job: Job, index: int, **raw: object) -> redo.Redo:
    return redo.ask(job, index, raw, by=job.owner, address="127.0.0.1")


@pytest.fixture
def first(submit: Submit, perform: Perform) -> Job:
    """A completed job of three segments."""
    submit(seed=1986)
    job = perform()
    assert job.segments_total == 3
    return job


@pytest.fixture
def paused(submit: Submit, perform: Callable[..., Job], owner: User) -> Job:
    """A job paused with its first two segments finished."""
    job = submit(seed=1986)
    perform(lambda: Job.objects.get(pk=job.pk).segments_done >= 2)
    assert lifecycle.pause_waiting(job.pk, "alice")
    job.refresh_from_db()
    assert job.segments_done == 2
    return job


def test_a_redone_segment_makes_a_new_version_and_leaves_all_else(first: Job, perform: Perform, media: Path) -> None:
    before = wav_bytes(first, media)
    kept = {output.name: store.sha256(output.path) for output in first.outputs.all()}
    asked = ask(first, 1)
    version = asked.job
    assert (version.revision_of, version.version, version.status) == (first, 2, Status.QUEUED)
    assert (version.segments_done, version.segments_total, version.text) == (2, 3, first.text)
    assert asked.fact.seed == 1987
    assert version.segments.get(index=1).seed == segment_seed(1987, 1)
    done = perform()
    assert (done.pk, done.status, done.segments_done) == (version.pk, Status.COMPLETED, 3)
    after = wav_bytes(done, media)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]
    assert set(done.outputs.values_list("version", flat=True)) == {2}
    assert kinds(done)[:2] == ["queued", "redo"]
    check_ledger(done)
    # Only the one was made.
    assert list(Event.objects.filter(job=done, kind="segment").values_list("data__index", flat=True)) == [1]
    first.refresh_from_db()
    assert first.status == Status.COMPLETED
    assert {output.name: store.sha256(output.path) for output in first.outputs.all()} == kept
    assert AuditEntry.objects.get(action="job.redo").detail["redo_of"] == first.pk


def test_the_seed_of_another_take_gives_that_takes_segment(first: Job, submit: Submit, perform: Perform) -> None:
    submit(seed=5)
    take = perform()
    ask(first, 2, seed=5)
    assert perform().segments.get(index=2).sha256 == take.segments.get(index=2).sha256


def test_another_text_changes_no_other_segment(first: Job, perform: Perform, media: Path) -> None:
    before = wav_bytes(first, media)
    ask(first, 0, text="这句话现在是中文。", speed=1.5, instruct="speak gently")
    done = perform()
    assert done.status == Status.COMPLETED
    assert wav_bytes(done, media)[1:] == before[1:]
    told = done.recipe["segments"][0]
    assert (told["text"], told["language"], told["speed"]) == ("这句话现在是中文。", "zh", 1.5)
    assert done.recipe["text"] == first.text
    assert [row.start for row in done.segments.all()] == [row.start for row in first.segments.all()]


def test_versions_count_up_and_either_may_vanish(first: Job, perform: Perform, media: Path) -> None:
    second = ask(first, 1).job
    second_done = perform()
    third = ask(second_done, 0).job
    perform()
    also_of_first = ask(first, 1)
    assert (second.version, third.version, also_of_first.job.version) == (2, 3, 4)
    assert also_of_first.fact.seed == 1988  # 1987 was tried in the second version
    assert third.revision_of == first
    for segment in first.segments.all():
        store.remove(segment.audio_path)
    third.refresh_from_db()
    assert all(len(piece) > 1000 for piece in wav_bytes(third, media))


def test_a_redo_that_fails_leaves_the_completed_job(first: Job, perform: Perform) -> None:
    ask(first, 1, text="これはほんとうにはなせません。x")
    failed = perform()
    assert (failed.status, failed.version) == (Status.FAILED, 2)
    first.refresh_from_db()
    assert first.status == Status.COMPLETED
    assert all(store.exists(output.path) for output in first.outputs.all())
    assert Output.objects.exclude(job=first).count() == 0


def test_a_version_is_replayed_like_any_job(first: Job, perform: Perform) -> None:
    from synthesis.jobs import replay

    ask(first, 1, seed=77, speed=1.2)
    replay.start(perform(), by=first.owner, address=None)
    verdict = perform().verdict
    assert verdict
    assert verdict["identical"] is True


def test_a_paused_jobs_segment_is_reset_and_made_when_it_goes_on(paused: Job, perform: Perform, media: Path) -> None:
    old = list(paused.segments.order_by("index"))
    asked = ask(paused, 0, seed=5)
    assert (asked.job.pk, asked.job.status, asked.job.segments_done) == (paused.pk, Status.PAUSED, 1)
    assert not store.exists(old[0].audio_path)
    event = Event.objects.get(job=paused, kind="redo")
    assert (event.status, event.data["index"], event.data["by"]) == ("paused", 0, "alice")
    assert event.data["changed"] == ["seed"]
    steering.ask(asked.job, "resume", None, by=paused.owner, address=None)
    done = perform()
    assert (done.status, done.segments_done, done.version) == (Status.COMPLETED, 3, 1)
    check_ledger(done)
    new = list(done.segments.order_by("index"))
    assert new[0].sha256 != old[0].sha256
    assert new[1].sha256 == old[1].sha256
    assert new[0].seed == segment_seed(5, 0)
    counts = Event.objects.filter(job=done, kind="segment").order_by("seq").values_list("data__index", flat=True)
    assert list(counts) == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("index", "raw", "field"),
    [
        (2, {}, "index"),
        (9, {}, "index"),
        (-1, {}, "index"),
        (0, {"seed": "x"}, "seed"),
        (0, {"seed": 2**60}, "seed"),
        (0, {"speed": 9}, "speed"),
        (0, {"text": ""}, "text"),
        (0, {"text": "…"}, "text"),
        (0, {"text": "word " * 100}, "text"),
        (0, {"instruct": "x" * 501}, "instruct"),
        (0, {"prompt_audio": "nobody"}, "prompt_audio"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(
    paused: Job, index: int, raw: dict[str, object], field: str
) -> None:
    events = paused.events.count()
    with pytest.raises(InvalidInput) as caught:
        ask(paused, index, **raw)
    assert list(caught.value.fields) == [field]
    assert (Job.objects.count(), paused.events.count()) == (1, events)
    assert all(store.exists(segment.audio_path) for segment in paused.segments.exclude(audio_path=""))


def test_a_job_that_went_on_meanwhile_is_left_alone(paused: Job) -> None:
    seen_paused = Job.objects.get(pk=paused.pk)
    steering.ask(paused, "resume", None, by=paused.owner, address=None)
    with pytest.raises(NotNow):
        ask(seen_paused, 0)
    assert paused.segments.exclude(audio_path="").count() == 2
    assert store.exists(paused.segments.get(index=0).audio_path)


def test_running_and_cancelled_jobs_are_refused(submit: Submit) -> None:
    job = submit()
    with pytest.raises(NotNow):
        ask(job, 0)
    lifecycle.cancel_waiting(job.pk, "alice")
    job.refresh_from_db()
    with pytest.raises(NotNow):
        ask(job, 0)


def test_lost_audio_leaves_no_half_version(first: Job, media: Path) -> None:
    store.remove(first.segments.get(index=2).audio_path)
    files = sorted(media.rglob("*.wav"))
    with pytest.raises(NotNow, match="3"):
        ask(first, 0)
    assert Job.objects.count() == 1
    assert sorted(media.rglob("*.wav")) == files


def test_an_administrators_redo_belongs_to_the_jobs_owner(first: Job, administrator: User, perform: Perform) -> None:
    other = make_voice("Other", owner=first.owner, preset="henry")
    done = redo.ask(first, 0, {"prompt_audio": other.pk}, by=administrator, address=None)
    assert (done.job.owner, done.fact.by) == (first.owner, "root")
    assert perform().segments.get(index=0).voice == other
