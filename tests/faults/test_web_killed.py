"""The web server is killed while a hundred pages follow."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.faults.browser import Browser
from tests.faults.scene import LONG, Scene, dice, kill

SOCKETS = 100
JOBS = 4
TEXT = LONG * 3
"""About four seconds of work a job: the server dies while all of them are being made or wait."""


@pytest.mark.timeout(240)
async def test_a_hundred_sockets_come_back_and_show_each_event_once(scene: Scene) -> None:
    threads, rng = asyncio.to_thread, dice()
    sound = await threads(scene.undisturbed, TEXT)
    job_ids = [await threads(scene.submit, TEXT) for _ in range(JOBS)]
    browsers = [Browser(scene.portal.socket_url, scene.key, job_ids[number % JOBS]) for number in range(SOCKETS)]
    following = [asyncio.create_task(browser.follow()) for browser in browsers]
    await threads(scene.wait_until, lambda: all(browser.frames for browser in browsers), 60.0)
    await threads(scene.pass_time, rng.uniform(0.0, 2.0))
    server = scene.web()
    kill(server)
    killed_at = time.monotonic()
    # The pages of a job that had ended before have no reason to come back.
    await threads(scene.wait_until, lambda: all(each.connections >= 2 or each.ended for each in browsers), 60.0)
    assert sum(browser.connections >= 2 for browser in browsers) > SOCKETS / 2
    print(f"all sockets back after {time.monotonic() - killed_at:.1f} s")  # noqa: T201 pytest shows it with a failure
    async with asyncio.timeout(120.0):
        await asyncio.gather(*following)
    assert scene.web().pid != server.pid
    for browser in browsers:
        assert browser.seqs == [event["seq"] for event in scene.events(browser.job_id)]
    await threads(scene.check_ledger, job_ids, status="completed")
    for job_id in job_ids:
        assert len(scene.events(job_id, "started")) == 1, "the jobs know nothing of it"
        assert scene.sound(job_id) == sound
