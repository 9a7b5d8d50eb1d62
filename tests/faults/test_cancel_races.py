"""Cancels that arrive around the end of their jobs."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.scene import SHORT, Scene, dice

JOBS = 40


@pytest.mark.timeout(300)
def test_a_cancelled_job_is_cancelled_or_completed_never_both(scene: Scene) -> None:
    rng = dice()
    scene.undisturbed(SHORT)
    usual_s = scene.rows("SELECT compute_s FROM synthesis_job WHERE text = ?", SHORT)[0]["compute_s"] + 0.3
    job_ids = [scene.submit(SHORT) for _ in range(JOBS)]
    due: dict[str, float] = {}
    answers: dict[str, Future[int]] = {}

    def cancel(job_id: str) -> int:
        return scene.client.post(f"/api/v1/jobs/{job_id}/control", json={"command": "cancel"}).status_code

    with ThreadPoolExecutor(8) as threads:

        def all_are_sent() -> bool:
            started = scene.rows("SELECT id FROM synthesis_job WHERE started_at IS NOT NULL AND text = ?", SHORT)
            for row in started:
                due.setdefault(row["id"], time.monotonic() + rng.uniform(0.0, 2 * usual_s))
            for job_id in job_ids:
                if job_id not in answers and time.monotonic() >= due.get(job_id, float("inf")):
                    answers[job_id] = threads.submit(cancel, job_id)
            return len(answers) == JOBS

        scene.wait_until(all_are_sent, 120.0)
    scene.wait_until_ended(job_ids)
    ends = {job_id: scene.job(job_id)["status"] for job_id in job_ids}
    print({word: list(ends.values()).count(word) for word in set(ends.values())})  # noqa: T201 shown with a failure
    for job_id in job_ids:
        code = answers[job_id].result()
        assert code in {202, 409}
        assert ends[job_id] in {"completed", "cancelled"}
        assert code == 202 or ends[job_id] == "completed", "a refused cancel has cancelled"
    assert set(ends.values()) == {"completed", "cancelled"}, "the moments were all on one side of the end"
    scene.check_ledger(job_ids)
