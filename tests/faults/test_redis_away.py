"""Redis stops answering, or is gone with all it held."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest
import redis

from tests.faults.browser import Browser
from tests.faults.scene import LONG, SHORT, Scene, kill, moment_of, thaw

AWAY_FOR_S = 10.0
ANSWER_WITHIN_S = 4.0
"""Two seconds are promised on a quiet machine; without a limit it would be half a minute."""
OPENED_WITHIN_S = 6.0
HEARD_WITHIN_S = 0.75
STARTED_WITHIN_S = 10.0

pytestmark = pytest.mark.timeout(240)


class Outage:
    """What the jobs, pages and sockets go through while ``fault`` lasts."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sound = scene.undisturbed()
        self.job_ids: list[str] = []
        self.late = ""
        self.workers = {worker.pid for worker in scene.workers()}

    def survive(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        asyncio.run(self._survive(begin, end))
        self._check()

    async def _survive(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        scene, threads = self.scene, asyncio.to_thread
        # One each for the two workers, and two that wait.
        self.job_ids = [await threads(scene.submit, text) for text in (LONG, LONG, LONG, SHORT)]
        self.browsers = [Browser(scene.portal.socket_url, scene.key, job_id) for job_id in self.job_ids * 2]
        following = [asyncio.create_task(browser.follow()) for browser in self.browsers]
        await threads(scene.wait_until, lambda: all(browser.frames for browser in self.browsers), 30.0)
        await threads(scene.wait_until, lambda: scene.finished(self.job_ids[0]), 60.0)
        began = time.monotonic()
        await threads(begin)
        try:
            await threads(self._use_the_portal)
            # A page opened meanwhile: the hub cannot join the job's group, and must not wait for it.
            self.browsers.append(Browser(scene.portal.socket_url, scene.key, self.late))
            following.append(asyncio.create_task(self.browsers[-1].follow()))
            await threads(scene.wait_until, lambda: self.browsers[-1].frames, OPENED_WITHIN_S)
            await threads(scene.pass_time, began + AWAY_FOR_S - time.monotonic())
        finally:
            # From here on and not from the first answer: a worker may be quicker than whoever asks for that.
            self.back_at = time.time()
            await threads(end)
        self.ended_before = [job_id for job_id in self.job_ids if scene.has_ended(job_id)]
        async with asyncio.timeout(90.0):
            await asyncio.gather(*following)
        await threads(scene.wait_until_ended, [*self.job_ids, self.late, *self.more])
        # Bells ring again: without them events would come with the hub's look, 1.5 s late in the middle.
        self.job_ids.append(await threads(scene.submit, LONG))
        self.browsers.append(Browser(scene.portal.socket_url, scene.key, self.job_ids[-1]))
        await self.browsers[-1].follow()
        assert statistics.median(self.browsers[-1].delays_s) < HEARD_WITHIN_S

    def _use_the_portal(self) -> None:
        for path in ("/healthz", "/accounts/login/", "/api/v1/jobs", f"/api/v1/jobs/{self.job_ids[0]}/events"):
            assert self._timed("GET", path).status_code == 200
        answer = self._timed("POST", "/api/v1/jobs", json={"text": SHORT, "seed": 7})
        assert answer.status_code == 202
        self.late = answer.json()["id"]
        self._timed("POST", "/api/v1/jobs", json={"texts": [SHORT] * 5, "seed": 7})
        self.more = [row["id"] for row in self.scene.rows("SELECT id FROM synthesis_job WHERE batch_id IS NOT NULL")]
        assert len(self.more) >= 5

    def _timed(self, method: str, path: str, **more: Any) -> httpx.Response:
        began = time.monotonic()
        answer = self.scene.client.request(method, path, **more)
        took_s = time.monotonic() - began
        assert took_s < ANSWER_WITHIN_S, f"{path} takes {took_s:.1f} s without Redis"
        return answer

    def _check(self) -> None:
        scene = self.scene
        starts = [moment_of(scene.events(job_id, "started")[0]) for job_id in [*self.job_ids[:4], self.late]]
        started_s = min(at for at in starts if at > self.back_at) - self.back_at
        print(f"started {started_s:.1f} s after the return, ended during it: {len(self.ended_before)}")  # noqa: T201
        assert started_s <= STARTED_WITHIN_S
        scene.check_ledger([*self.job_ids, self.late, *self.more], status="completed")
        for job_id in [*self.job_ids, self.late]:
            assert len(scene.events(job_id, "started")) == 1, "it was made twice"
        assert all(scene.sound(job_id) == self.sound for job_id in self.job_ids[:3])
        for browser in self.browsers:
            assert browser.connections == 1, "its socket was closed"
            assert browser.seqs == [event["seq"] for event in scene.events(browser.job_id)]
        assert {worker.pid for worker in scene.workers()} == self.workers, "no worker had to load its engine again"


def test_stopped_for_ten_seconds(scene: Scene) -> None:
    """It neither answers nor closes a connection: only time limits help."""
    scene.wait_for_workers()
    server = scene.redis()
    outage = Outage(scene)
    outage.survive(lambda: scene.freeze(server), lambda: thaw(server))


def test_killed_and_wiped_and_away_for_ten_seconds(scene: Scene) -> None:
    """Jobs that end meanwhile stay ended; those that waited are found in the database."""
    scene.wait_for_workers()
    outage = Outage(scene)
    run, kept = scene.portal.data_dir / "run" / "redis.conf", scene.portal.data_dir / "run" / "redis.conf.away"

    def begin() -> None:
        run.rename(kept)  # the supervisor cannot start it again without
        kill(scene.redis())
        shutil.rmtree(scene.portal.data_dir / "redis")
        (scene.portal.data_dir / "redis").mkdir()

    def end() -> None:
        kept.rename(run)
        scene.wait_until(answers, 30.0)

    def answers() -> bool:
        with suppress(redis.RedisError, psutil.Error):
            return bool(redis.Redis(unix_socket_path=str(scene.portal.data_dir / "run" / "redis.sock")).ping())
        return False

    outage.survive(begin, end)
    assert outage.ended_before, "no job ended while Redis was away: the outage was too short for this machine"
