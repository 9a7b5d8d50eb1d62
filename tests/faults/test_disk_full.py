"""No space is left, in the middle of writing a file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.scene import SHORT, Scene

KIB = 1024


@contextmanager
def small_disk(scene: Scene, directory: str, size_bytes: int) -> Iterator[None]:
    """A file system of this size at a directory of the media."""
    path = scene.file(directory)
    path.mkdir(exist_ok=True)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", str(path)]
    done = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a full disk is made by mounting a small one, which is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def sizes(scene: Scene) -> dict[str, int]:
    """Bytes of each format of the short text."""
    scene.undisturbed(SHORT)
    rows = scene.rows(
        "SELECT file.format, size_bytes FROM synthesis_output AS file "
        "JOIN synthesis_job AS job ON job.id = job_id WHERE text = ?",
        SHORT,
    )
    return {row["format"]: row["size_bytes"] for row in rows}


def test_a_full_disk_fails_the_job_with_a_hint_and_the_next_one_completes(scene: Scene, sizes: dict[str, int]) -> None:
    """Full in the middle of each of the four files in turn."""
    failed = []
    before = 0
    for name in ("wav", "flac", "mp3", "ogg"):
        with small_disk(scene, "outputs", before + sizes[name] // 2):
            failed.append(scene.submit(SHORT))
            expect_storage_full(scene, failed[-1])
        # Half of the smallest page of a small file must not count: file systems give whole pages.
        before += -(-sizes[name] // (4 * KIB)) * 4 * KIB
    with small_disk(scene, "segments", 16 * KIB):
        failed.append(scene.submit(SHORT))
        expect_storage_full(scene, failed[-1])
    again = scene.submit(SHORT)
    scene.wait_until_ended([again])
    scene.check_ledger([again], status="completed")
    assert scene.sound(again) == scene.undisturbed(SHORT)


def expect_storage_full(scene: Scene, job_id: str) -> None:
    pids = {worker.pid for worker in scene.workers()}
    scene.wait_until_ended([job_id])
    assert (scene.job(job_id)["status"], scene.job(job_id)["error_code"]) == ("failed", "storage_full")
    assert scene.files("outputs", job_id) == []
    scene.check_ledger([job_id], status="failed")
    last = scene.client.get(f"/api/v1/jobs/{job_id}/events").json()["events"][-1]
    assert last["code"] == "storage_full"
    assert "free space" in last["hint"]
    assert {worker.pid for worker in scene.workers()} == pids, "the worker lives on"
