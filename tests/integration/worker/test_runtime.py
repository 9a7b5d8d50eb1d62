"""A worker whose engine cannot be loaded stays up, says why, and takes no jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from synthesis.engines import catalogue
from synthesis.jobs import estimate, lifecycle
from synthesis.models import Job, WorkerState
from synthesis.monitor import gauges
from synthesis.vocabulary import Status
from synthesis.worker.runtime import Runtime
from tests.engines import weighed
from tests.integration.worker.conftest import Submit, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def weights(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one file of an engine that needs one; it is not there yet."""
    monkeypatch.setitem(catalogue.ENGINES, "embedded", "tests.engines.weighed:load")
    settings.COSYVOICE_MODEL_DIR = str(tmp_path)
    settings.RELOAD_EVERY_S = 0.05
    return tmp_path / weighed.FILE


@pytest.fixture
def runtime(weights: Path) -> Runtime:
    return Runtime(0)


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], object]], threading.Thread]]:
    """What a worker's main thread does, in a thread of its own."""
    threads: list[threading.Thread] = []

    def start(work: Callable[[], object]) -> threading.Thread:
        def closing() -> None:
            try:
                work()
            finally:
                connection.close()

        threads.append(threading.Thread(target=closing))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def row() -> WorkerState:
    return WorkerState.objects.first() or WorkerState()


def test_it_says_which_file_is_bad_and_starts_when_the_file_is_put_right(
    runtime: Runtime, weights: Path, submit: Submit, beside: Callable[..., threading.Thread]
) -> None:
    job = submit("Hello.")
    thread = beside(runtime.ready)
    until(lambda: row().state == WorkerState.State.FAILED)
    assert row().message == f"{weights} is missing."
    assert estimate.live_workers() == 0
    assert gauges.read()["warnings"] == ["no_workers"]

    weights.write_text("bad")
    until(lambda: row().message == f"{weights} is damaged.")
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED

    weights.write_text(weighed.GOOD)
    thread.join(60)
    assert (row().state, row().message, row().loaded) == (WorkerState.State.IDLE, "", True)
    runtime.take_turn()
    assert Job.objects.get(pk=job.pk).status == Status.COMPLETED


def test_a_model_that_cannot_be_loaded_again_gives_the_job_back(
    runtime: Runtime, weights: Path, submit: Submit, beside: Callable[..., threading.Thread]
) -> None:
    weights.write_text(weighed.GOOD)
    assert runtime.ready()
    WorkerState.objects.update(order=WorkerState.Order.UNLOAD)
    runtime.hear()
    assert (row().state, row().order) == (WorkerState.State.UNLOADED, "")
    weights.unlink()

    job = submit("Hello.")
    runtime.take_turn()
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED
    assert (row().state, row().job_id) == (WorkerState.State.FAILED, "")

    thread = beside(runtime.take_turn)
    weights.write_text(weighed.GOOD)
    thread.join(60)
    assert Job.objects.get(pk=job.pk).status == Status.COMPLETED


def test_a_worker_that_waits_for_its_engine_can_be_stopped_and_restarted(
    runtime: Runtime, beside: Callable[..., threading.Thread], settings: Any
) -> None:
    settings.RELOAD_EVERY_S = 60.0
    thread = beside(runtime.ready)
    until(lambda: row().state == WorkerState.State.FAILED)
    WorkerState.objects.update(order=WorkerState.Order.RESTART)
    runtime.hear()
    thread.join(10)
    assert not thread.is_alive()
    assert runtime.leaving
    runtime.leave()
    assert row().state == WorkerState.State.STARTING


def test_a_worker_that_leaves_takes_no_job(runtime: Runtime, weights: Path, submit: Submit) -> None:
    weights.write_text(weighed.GOOD)
    runtime.ready()
    job = submit("Hello.")
    runtime.stop()
    runtime.take_turn()
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED
    runtime.leave()
    assert not WorkerState.objects.exists()


def test_a_successor_removes_the_row_of_a_dead_process(runtime: Runtime) -> None:
    runtime.say()
    fields = {"host": row().host, "started_at": row().started_at, "heartbeat_at": row().heartbeat_at}
    WorkerState.objects.create(name="dead", number=0, pid=2**22 + 1, **fields)  # beyond the largest process id
    WorkerState.objects.create(name="other", number=1, pid=2**22 + 1, **fields)
    runtime.succeed()
    assert set(WorkerState.objects.values_list("name", flat=True)) == {runtime.name, "other"}


def test_claims_of_the_lease_are_not_touched_by_orders(runtime: Runtime, submit: Submit) -> None:
    job = submit("Hello.")
    claim = lifecycle.claim_next(runtime.name)
    assert claim
    runtime.say(WorkerState.State.BUSY)
    WorkerState.objects.update(order=WorkerState.Order.RESTART)
    runtime.hear()
    assert row().state == WorkerState.State.DRAINING
    assert lifecycle.renew(claim)
    assert Job.objects.get(pk=job.pk).status == Status.RUNNING
