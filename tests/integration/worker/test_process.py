"""Real worker processes: restarted, unloaded, recycled; no job is lost and no sample changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synthesis.jobs import lifecycle
from synthesis.models import AuditEntry, Event, Job, User, WorkerState
from synthesis.monitor import orders
from synthesis.vocabulary import Status
from tests.environment import DATA_DIR
from tests.integration.worker.conftest import LONG, Submit
from tests.integration.worker.process import WorkerProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
MIB = 1024**2

StartWorker = Callable[..., WorkerProcess]


@pytest.fixture(autouse=True)
def shared_media(media: Path, settings: Any) -> None:
    """The worker process writes where its own settings say."""
    settings.MEDIA_ROOT = DATA_DIR / "media"


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    started: list[WorkerProcess] = []

    def start(**environment: str) -> WorkerProcess:
        worker = WorkerProcess(tmp_path / "worker.log", **environment)
        started.append(worker)
        worker.start()
        return worker

    yield start
    for worker in started:
        worker.end()


def status(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


def hashes(job: Job) -> list[str]:
    return list(job.segments.order_by("index").values_list("sha256", flat=True))


def kinds(job: Job) -> list[str]:
    events = list(Event.objects.filter(job=job).order_by("seq").values_list("seq", "kind"))
    assert [seq for seq, _kind in events] == list(range(1, len(events) + 1))
    return [kind for _seq, kind in events]


def test_unloading_gives_memory_back_and_the_next_job_has_the_same_samples(
    start_worker: StartWorker, submit: Submit, administrator: User
) -> None:
    worker = start_worker()
    first = submit(seed=3)
    worker.until(lambda: status(first) == Status.COMPLETED)
    worker.until(lambda: worker.row().state == WorkerState.State.IDLE)
    before = worker.resident_bytes()

    orders.give(WorkerState.Order.UNLOAD, None, by=administrator, address=None)
    worker.until(lambda: worker.row().state == WorkerState.State.UNLOADED)
    assert not worker.row().loaded
    assert before - worker.resident_bytes() > MIB  # the embedded engine holds about 2 MiB beside its libraries

    again = submit(seed=3)
    worker.until(lambda: status(again) == Status.COMPLETED)
    assert hashes(again) == hashes(first)
    logged = Event.objects.filter(job=again, kind="log").values_list("data__code", flat=True)
    assert "engine_loading" in logged
    worker.until(lambda: worker.row().state == WorkerState.State.IDLE)
    assert worker.row().loaded


def test_an_idle_model_is_unloaded_by_itself(start_worker: StartWorker) -> None:
    worker = start_worker(COSYWEB_UNLOAD_AFTER_S="1")
    worker.until(lambda: worker.row().state == WorkerState.State.UNLOADED)


def test_a_restart_finishes_the_segment_and_the_successor_the_job(
    start_worker: StartWorker, submit: Submit, administrator: User
) -> None:
    worker = start_worker()
    quiet = submit(LONG * 6, seed=4)
    worker.until(lambda: status(quiet) == Status.COMPLETED)
    job = submit(LONG * 6, seed=4)
    worker.until(lambda: Job.objects.get(pk=job.pk).segments_done > 0)
    first_pid = worker.row().pid
    orders.give(WorkerState.Order.RESTART, worker.row().name, by=administrator, address=None)
    worker.until(worker.ended)
    assert worker.exit_status == 0
    assert status(job) == Status.QUEUED
    made = Job.objects.get(pk=job.pk).segments_done
    assert 0 < made < job.segments_total
    assert worker.row().state == WorkerState.State.STARTING  # its successor is on the way

    assert worker.start() != first_pid
    assert WorkerState.objects.count() == 1
    worker.until(lambda: status(job) == Status.COMPLETED)
    assert hashes(job) == hashes(quiet)
    assert kinds(job).count("segment") == job.segments_total  # none was made twice
    assert kinds(job).count("requeued") == 1
    assert AuditEntry.objects.filter(action="worker.restart", actor=administrator).count() == 1


def test_an_idle_worker_restarts_too(start_worker: StartWorker, administrator: User) -> None:
    worker = start_worker()
    orders.give(WorkerState.Order.RESTART, None, by=administrator, address=None)
    worker.until(worker.ended, 20)
    assert worker.exit_status == 0


def test_a_worker_that_grows_is_recycled_between_jobs_and_no_job_is_lost(
    start_worker: StartWorker, submit: Submit
) -> None:
    worker = start_worker(COSYWEB_WORKER_MAX_GROWTH_MB="1")
    # Ever longer texts and both languages: no leak, but more than 1 MB of what allocators and caches keep.
    jobs = [submit(f"Number {number}. 你好，世界。" * (1 + number % 12), seed=number) for number in range(40)]
    worker.until(worker.ended, 200)
    assert worker.exit_status == 0
    statuses = {status(job) for job in jobs}
    assert statuses == {Status.COMPLETED, Status.QUEUED}  # it ended between two jobs
    (entry,) = AuditEntry.objects.filter(action="worker.recycle")
    assert entry.detail["grown_mb"] >= entry.detail["limit_mb"] == 1
    assert worker.row().state == WorkerState.State.RECYCLING

    rest = [job for job in jobs if status(job) == Status.QUEUED]
    for job in rest[2:]:
        lifecycle.cancel_waiting(job.pk, "test")
    worker.start()
    for job in rest[:2]:
        worker.until(lambda job=job: status(job) == Status.COMPLETED)  # type: ignore[misc]  # bound early on purpose
    assert all(kinds(job).count("started") == 1 for job in jobs if status(job) == Status.COMPLETED)
