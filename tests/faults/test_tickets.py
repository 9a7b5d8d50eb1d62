"""The queue hands out the same job many times."""

from __future__ import annotations

import redis

from tests.faults.scene import LONG, Scene, thaw

COPIES = 10
LIST = "rq:queue:synthesis"


def test_a_ticket_ten_times_in_the_queue_makes_one_job(scene: Scene) -> None:
    scene.wait_for_workers()
    queue = redis.Redis(unix_socket_path=str(scene.portal.data_dir / "run" / "redis.sock"))
    workers = scene.workers()
    for worker in workers:  # so that both find all the copies at once
        scene.freeze(worker)
    try:
        job_id = scene.submit(LONG)
        ticket = f"{job_id}-1"
        if not queue.rpush(LIST, *[ticket] * COPIES):
            raise AssertionError("no ticket was written")
    finally:
        for worker in workers:
            thaw(worker)
    scene.wait_until_ended([job_id])
    scene.wait_until(lambda: queue.llen(LIST) == 0, 30.0)
    scene.wait_for_workers()
    assert len(scene.events(job_id, "started")) == 1
    assert scene.job(job_id)["attempt"] == 1
    scene.check_ledger([job_id], status="completed")
    assert scene.sound(job_id) == scene.undisturbed()
