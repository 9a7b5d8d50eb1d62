"""The sweeper's single steps; tests/faults has the whole in real processes."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from synthesis.jobs import lifecycle, liveness, queue, recovery
from synthesis.models import Job, User
from synthesis.outputs import store
from synthesis.vocabulary import Status

MakeJob = Callable[..., Job]
NAME = "somewhere-1-0"
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run_dir(tmp_path: Path, settings: Any) -> Path:
    settings.RUN_DIR = tmp_path / "run"
    settings.DATA_DIR = tmp_path
    return tmp_path / "run"


def running(owner: User, make_job: MakeJob, *, lease_s: float = 60.0, worker: str = NAME) -> Job:
    until = timezone.now() + datetime.timedelta(seconds=lease_s)
    return make_job(owner, status=Status.RUNNING, worker=worker, lease_until=until, started_at=timezone.now())


def status(job: Job) -> str:
    return str(Job.objects.values_list("status", flat=True).get(pk=job.pk))


def test_a_killed_workers_job_does_not_wait_for_its_lease(owner: User, make_job: MakeJob, run_dir: Path) -> None:
    job = running(owner, make_job)
    (run_dir / "workers").mkdir(parents=True)
    command = [sys.executable, "-c", HOLD, str(run_dir / "workers" / NAME)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        recovery.sweep()
        assert status(job) == Status.RUNNING
        process.kill()
    recovery.sweep()
    assert status(job) == Status.QUEUED


def test_of_a_worker_elsewhere_only_the_lease_tells(owner: User, make_job: MakeJob, run_dir: Path) -> None:
    alive, lost = running(owner, make_job), running(owner, make_job, lease_s=-1.0)
    recovery.sweep()
    assert (status(alive), status(lost)) == (Status.RUNNING, Status.QUEUED)


def test_two_who_look_at_once_do_not_take_each_other_for_the_worker(run_dir: Path) -> None:
    os.close(liveness.hold(NAME))
    assert liveness.is_dead(NAME)
    held = liveness.hold(NAME)
    assert not liveness.is_dead(NAME)
    os.close(held)


def test_a_late_sweep_gives_everyone_time_to_renew(owner: User, make_job: MakeJob, run_dir: Path) -> None:
    job = running(owner, make_job, lease_s=-1.0)
    recovery.sweep(late=True)
    assert status(job) == Status.RUNNING
    sweeper = recovery.Sweeper()
    sweeper._swept_at -= datetime.timedelta(seconds=3 * settings.HEARTBEAT_S + 1)
    sweeper.sweep()
    assert status(job) == Status.RUNNING
    sweeper.sweep()
    assert status(job) == Status.QUEUED


def test_a_job_that_moves_on_may_see_many_workers_die(owner: User, make_job: MakeJob, run_dir: Path) -> None:
    make_job(owner)
    for _ in range(2 * lifecycle.MAX_ATTEMPTS):
        claim = lifecycle.claim_next("victim")
        assert claim
        lifecycle.note(claim, [], deaths=0)  # as the worker does with each finished segment
        lifecycle.take_from_dead_worker(Job.objects.get(pk=claim.job_id), certain=True)
    assert status(Job.objects.get()) == Status.QUEUED


def test_files_without_a_row_are_removed_once_the_job_has_ended(
    owner: User, make_job: MakeJob, media: Path, run_dir: Path
) -> None:
    job = make_job(owner, attempt=2)
    kept, left = store.segment_path(job.pk, 0, 2), store.segment_path(job.pk, 0, 1)
    half = store.output_path(job.pk, ".0a1b2c-output.wav")
    for path in (kept, left, half):
        store.open_path(path).parent.mkdir(parents=True, exist_ok=True)
        store.open_path(path).write_bytes(b"sound")
    job.segments.update(audio_path=kept)
    recovery.sweep()
    assert store.open_path(left).exists(), "it may still be worked on"
    Job.objects.filter(pk=job.pk).update(status=Status.COMPLETED, ended_at=timezone.now())
    recovery.sweep()
    assert list(media.rglob(f"{job.pk}/*")) == [store.open_path(kept)]


def test_scratch_directories_of_dead_processes_are_removed(run_dir: Path, tmp_path: Path) -> None:
    root = tmp_path / "scratch"
    old = time.time() - 120
    with store.scratch() as used:
        dead, fresh = root / "dead", root / "fresh"
        dead.mkdir()
        fresh.mkdir()
        for directory in (used, dead):
            os.utime(directory, (old, old))
        store.clear_scratch()
        assert {path.name for path in root.iterdir()} == {used.name, "fresh"}


def test_after_a_failure_redis_is_left_alone_for_a_moment(
    owner: User, make_job: MakeJob, settings: Any, tmp_path: Path
) -> None:
    """A batch of a hundred jobs waits for an unreachable Redis once."""
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    queue._impatient.cache_clear()
    try:
        began = time.monotonic()
        for number in range(100):
            queue.enqueue("job", number)
        assert time.monotonic() - began < 2 * queue.PATIENCE_S
        assert queue.tickets() is None
    finally:
        queue._impatient.cache_clear()
        queue._Break.until = 0.0
