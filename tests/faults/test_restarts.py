"""Everything ends at once, by a power cut or by an administrator, and is started again."""

from __future__ import annotations

import pytest

from tests.faults.scene import LONG, Scene

pytestmark = pytest.mark.timeout(240)


def under_load(scene: Scene) -> list[str]:
    """Two jobs in the middle of their work, two that wait."""
    scene.undisturbed()
    scene.wait_for_workers()
    job_ids = [scene.submit(LONG) for _ in range(4)]
    scene.wait_until(lambda: all(scene.finished(job_id) for job_id in job_ids[:2]), 60.0)
    return job_ids


def check_all_came_through(scene: Scene, job_ids: list[str]) -> None:
    scene.wait_until_ended(job_ids)
    scene.check_ledger(job_ids, status="completed")
    assert all(scene.sound(job_id) == scene.undisturbed() for job_id in job_ids)


def test_power_cut(scene: Scene) -> None:
    job_ids = under_load(scene)
    scene.portal.kill()
    kept = {job_id: [tuple(row) for row in scene.finished(job_id)] for job_id in job_ids}
    scene.portal.start()
    check_all_came_through(scene, job_ids)
    for job_id, rows in kept.items():
        assert [tuple(row) for row in scene.finished(job_id)][: len(rows)] == rows, "a stored segment was made again"
    assert scene.rows("PRAGMA integrity_check")[0][0] == "ok"


def test_stopped_under_load(scene: Scene) -> None:
    """Workers hand their jobs back: that counts as no death."""
    job_ids = under_load(scene)
    scene.portal.stop()
    assert {scene.job(job_id)["status"] for job_id in job_ids} <= {"queued", "completed"}
    assert all(event["kind"] != "failed" for job_id in job_ids for event in scene.events(job_id))
    scene.portal.start()
    check_all_came_through(scene, job_ids)
    assert all(scene.job(job_id)["deaths"] == 0 for job_id in job_ids)
