"""Known failures: what the worker does about them, and what people are told."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection

from synthesis.audio import wav
from synthesis.engines.base import AudioChunk, Engine, OutOfMemory, Report, SegmentRequest, ShouldStop
from synthesis.events import wire
from synthesis.events.hints import hint_for
from synthesis.jobs import lifecycle, recovery
from synthesis.jobs.recipe import PAUSE_BETWEEN_PIECES_S
from synthesis.jobs.seeds import piece_seed
from synthesis.models import Event, Job
from synthesis.outputs import store
from synthesis.vocabulary import Status
from synthesis.worker.performance import Performance
from tests.engines.wrapped import Wrapped
from tests.integration.worker.conftest import Perform, Submit, wav_bytes
from tests.integration.worker.test_performance import check_ledger

pytestmark = pytest.mark.django_db(transaction=True)

SENTENCE = "When we came back, it was raining in the town, and nobody was there."
PIECES = ["When we came back, it was raining in the town,", "and nobody was there."]


class Cramped(Wrapped):
    """The embedded engine in a machine with memory for so many characters."""

    def __init__(self, engine: Engine, room: int, problem: Callable[[str], Exception] = OutOfMemory) -> None:
        super().__init__(engine)
        self._room = room
        self._problem = problem
        self.releases = 0
        self.spoken: list[SegmentRequest] = []

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        if len(request.text) > self._room:
            raise self._problem(f"no room for {len(request.text)} characters")
        self.spoken.append(request)
        yield from super().synthesize(request, report, should_stop)

    def release(self) -> None:
        self.releases += 1


class Forgetful(Wrapped):
    """Speaks the first word of a text, and that is all."""

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        yield from super().synthesize(replace(request, text=request.text.split()[0]), report, should_stop)


def perform_with(engine: Engine) -> Job:
    claim = lifecycle.claim_next("test-worker")
    assert claim
    Performance(claim, engine, lambda: False).run()
    return Job.objects.get(pk=claim.job_id)


def warnings_of(job: Job) -> list[str]:
    rows = Event.objects.filter(job=job, level="WARNING", kind="log").order_by("seq")
    return [wire.render(job.pk, wire.event_data(row), "en")["message"] for row in rows]


@pytest.mark.parametrize(
    "problem", [OutOfMemory, MemoryError, lambda text: RuntimeError(f"CUDA out of memory. Tried to allocate: {text}")]
)
def test_a_segment_too_large_for_the_memory_is_made_in_smaller_pieces(
    engine: Engine, submit: Submit, problem: Callable[[str], Exception]
) -> None:
    cramped = Cramped(engine, 50, problem)
    submit(SENTENCE, seed=5)
    job = perform_with(cramped)
    assert job.status == Status.COMPLETED
    check_ledger(job)
    segment = job.segments.get()
    assert segment.pieces == PIECES
    assert [(one.text, one.seed) for one in cramped.spoken] == [
        (text, piece_seed(segment.seed, index)) for index, text in enumerate(PIECES)
    ]
    assert cramped.releases == 1
    assert job.recipe["segments"][0]["pieces"] == PIECES
    first, second = warnings_of(job)
    assert first.startswith("Memory ran out at segment 1: ")
    assert f"{len(SENTENCE)} characters" in first
    assert second == "Memory is freed; segment 1 is made once more, in 2 smaller pieces"


def test_a_segment_too_short_for_its_text_is_told_with_what_to_do(engine: Engine, submit: Submit) -> None:
    submit(SENTENCE, seed=5)
    job = perform_with(Forgetful(engine))
    assert job.status == Status.COMPLETED
    (warning,) = warnings_of(job)
    assert warning.startswith("Segment 1 is unusually short for its text: ")
    row = Event.objects.get(job=job, data__code="segment_short")
    assert wire.render(job.pk, wire.event_data(row), "zh-hans")["hint"].startswith("可能漏字")


def test_the_pieces_are_joined_with_a_breath(engine: Engine, submit: Submit) -> None:
    submit(SENTENCE, seed=5)
    job = perform_with(Cramped(engine, 50))
    samples, rate = wav.read_wav(store.open_path(job.segments.get().audio_path))
    silent = (np.abs(samples) < 1 / 32768).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent, [0]])))
    assert max(edges[1::2] - edges[::2]) >= round(PAUSE_BETWEEN_PIECES_S * rate)


def test_a_segment_in_pieces_is_repeatable_and_stays_in_pieces_after_a_crash(
    engine: Engine, submit: Submit, media: Path
) -> None:
    submit(SENTENCE, seed=5)
    first = wav_bytes(perform_with(Cramped(engine, 50)), media)
    job = submit(SENTENCE, seed=5)

    claim = lifecycle.claim_next("dying")
    assert claim
    job.segments.update(pieces=PIECES)  # as far as it had come
    Job.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00Z")
    recovery.sweep()
    again = perform_with(Cramped(engine, 1000))
    assert again.status == Status.COMPLETED
    assert wav_bytes(again, media) == first


def test_what_does_not_fit_in_smaller_pieces_either_fails_with_a_hint(engine: Engine, submit: Submit) -> None:
    cramped = Cramped(engine, 5)
    submit(SENTENCE)
    job = perform_with(cramped)
    assert (job.status, job.error_code, job.error_stage) == (Status.FAILED, "out_of_memory", "acoustic")
    assert "no room for" in job.error_message
    assert hint_for(job.error_code)
    check_ledger(job)
    assert len(warnings_of(job)) == 2
    assert cramped.releases == 2
    submit("Fits.")
    assert perform_with(cramped).status == Status.COMPLETED


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "storage_full"),
        (RuntimeError("PytorchStreamReader failed reading zip archive"), "weights_unusable"),
    ],
)
def test_a_known_failure_has_its_code_its_raw_message_and_a_hint(
    engine: Engine, submit: Submit, problem: Exception, code: str
) -> None:
    submit(SENTENCE)
    job = perform_with(Cramped(engine, 0, lambda _text: problem))
    assert (job.status, job.error_code) == (Status.FAILED, code)
    failed = Event.objects.get(job=job, kind="failed")
    for language in ("en", "zh-hans"):
        frame = wire.render(job.pk, wire.event_data(failed), language)
        assert str(problem) in frame["message"]
        assert frame["hint"]


# The database itself


@pytest.fixture
def locked() -> Iterator[Callable[[], threading.Timer]]:
    """Locks the database against writers for two seconds; who waits for it gives up after a tenth."""
    path = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite":
        pytest.skip("a lock as SQLite has it")
    options = connection.settings_dict["OPTIONS"]
    before = options["timeout"]
    holders: list[sqlite3.Connection] = []
    timers: list[threading.Timer] = []

    def lock(for_s: float = 2.0) -> threading.Timer:
        holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
        holders.append(holder)
        timers.append(threading.Timer(for_s, holder.execute, ["ROLLBACK"]))
        timers[-1].start()
        return timers[-1]

    connection.close()
    options["timeout"] = 0.1
    yield lock
    for timer in timers:
        timer.cancel()
        timer.join()
    for holder in holders:
        holder.close()
    connection.close()
    options["timeout"] = before


class Interrupted(Wrapped):
    """The embedded engine; something happens once before its second segment."""

    def __init__(self, engine: Engine, happen: Callable[[], object]) -> None:
        super().__init__(engine)
        self._happen = happen
        self.calls = 0

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        self.calls += 1
        if self.calls == 2:
            self._happen()
        yield from super().synthesize(request, report, should_stop)


def test_a_database_that_comes_back_costs_one_segment(
    engine: Engine, submit: Submit, perform: Perform, media: Path, locked: Callable[[], object]
) -> None:
    submit(seed=4)
    undisturbed = wav_bytes(perform(), media)
    submit(seed=4)
    interrupted = Interrupted(engine, locked)
    job = perform_with(interrupted)
    assert job.status == Status.COMPLETED
    check_ledger(job)
    assert job.attempt == 1
    assert interrupted.calls == job.segments_total + 1
    assert wav_bytes(job, media) == undisturbed
    assert any(text.startswith("The database was away; after ") for text in warnings_of(job))


def test_a_database_that_stays_away_leaves_the_job_to_recovery(
    engine: Engine, submit: Submit, perform: Perform, locked: Callable[[float], threading.Timer], settings: Any
) -> None:
    settings.DATABASE_PATIENCE_S = 0.5
    job = submit(seed=4)
    locks: list[threading.Timer] = []
    left = perform_with(Interrupted(engine, lambda: locks.append(locked(3.0))))
    locks[0].join()
    assert (left.status, left.segments_done) == (Status.RUNNING, 1)
    Job.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00Z")
    recovery.sweep()
    done = perform()
    assert (done.status, done.attempt) == (Status.COMPLETED, 2)
    check_ledger(done)
