"""Somebody holds the database (a backup, a long query in a shell)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.faults.scene import Scene

LOCKED_FOR_S = 5.0


def test_locked_for_five_seconds_while_a_job_runs_and_another_is_submitted(scene: Scene) -> None:
    sound, running = scene.undisturbed(), scene.submit()
    scene.wait_until(lambda: len(scene.finished(running)) >= 1, 60.0)
    with ThreadPoolExecutor() as threads:
        with scene.holding_the_database():
            submitting = threads.submit(scene.submit)
            scene.pass_time(LOCKED_FOR_S)
            assert not submitting.done(), "where was it stored?"
            # Reading needs no lock. (A request with an API key notes the key's use, once a minute, and so may wait.)
            assert scene.client.get("/accounts/login/").status_code == 200
        submitted = submitting.result(timeout=20)
    scene.wait_until_ended([running, submitted])
    scene.check_ledger([running, submitted], status="completed")
    for job_id in (running, submitted):
        assert len(scene.events(job_id, "started")) == 1
        assert scene.sound(job_id) == sound
