"""The hub in this process with a real database and a Redis that dies, and the consumer under two kinds of servers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from redis.asyncio import Redis as AsyncRedis

from cosyweb import supervision
from synthesis.events import push
from synthesis.events.facts import Logged
from synthesis.events.record import record
from synthesis.jobs.board import Board
from synthesis.models import Job, User
from synthesis.realtime.audience import Following
from synthesis.realtime.consumer import PortalConsumer
from synthesis.realtime.frames import EXTENSION, texts
from synthesis.realtime.hub import Hub, hub
from synthesis.realtime.identity import Identity
from synthesis.vocabulary import Level, Status

WITHIN_S = 30.0

pytestmark = pytest.mark.django_db(transaction=True)


class Reader:
    """A socket as the hub knows it, which keeps what it gets."""

    language = "en"
    session = ""
    follows_portal = True
    follows_system = False

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.queues = 0

    def blocked(self) -> bool:
        return False

    def write(self, frames: bytes) -> None:
        self.frames += [json.loads(text) for text in texts(frames)]

    def may_see(self, _owner: int) -> bool:
        return True

    def portal_queue(self, _board: Board) -> None:
        self.queues += 1

    async def session_ended(self) -> None:
        raise AssertionError("no session ended")

    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if "seq" in frame]


class Redis:
    """A Redis that can be killed and come back empty, as a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "r.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [str(supervision.redis_server()), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self._process = subprocess.Popen(words, cwd=self.socket.parent, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait(10)


@pytest.fixture
def redis_that_dies(tmp_path: Path, settings: Any) -> Iterator[Redis]:
    server = Redis(tmp_path)
    layer = settings.CHANNEL_LAYERS["default"]
    host = {**layer["CONFIG"]["hosts"][0], "address": f"unix://{server.socket}"}
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": [host]}}}
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def running_hub() -> AsyncIterator[Hub]:
    yield hub()
    await hub().stop()
    await get_channel_layer().flush()


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)  # between two looks; the deadline bounds it


async def until_async(condition: Callable[[], Awaitable[Any]]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)  # between two looks; the deadline bounds it


@sync_to_async
def note(job: Job, *lines: str) -> None:
    record(Job.objects.all(), job.pk, [Logged(severity=Level.INFO, stage=None, message=line) for line in lines])


async def test_a_hub_whose_redis_dies_reads_the_database_and_hears_again(
    redis_that_dies: Redis, running_hub: Hub, owner: User, make_job: Callable[..., Job]
) -> None:
    job = await sync_to_async(make_job)(owner, status=Status.RUNNING)
    reader = Reader()
    running_hub.enter(reader)
    await running_hub.follow(Following(reader, job.pk, 0, batch=False))

    async def rings() -> float:
        """Seconds until a bell is heard (places in the queue are told for bells alone)."""
        before, began = reader.queues, time.monotonic()
        async with asyncio.timeout(WITHIN_S):
            while reader.queues == before:
                push.queue_changed()
                await asyncio.sleep(0.2)
        return time.monotonic() - began

    await rings()
    await note(job, "one")
    await until(lambda: reader.seqs() == [1])

    redis_that_dies.kill()
    await note(job, "two", "three")
    await until(lambda: reader.seqs() == [1, 2, 3])  # the look: no bell could ring

    redis_that_dies.start()
    heard_after_s = await rings()
    await note(job, "four")
    await until(lambda: reader.seqs() == [1, 2, 3, 4])
    assert heard_after_s < 8.0  # about 2 s on a quiet machine


async def test_bells_that_nobody_understands_do_not_end_the_hearing(running_hub: Hub) -> None:
    reader = Reader()
    running_hub.enter(reader)
    layer = get_channel_layer()
    redis = AsyncRedis.from_url(settings.REDIS_URL)
    name = f"asgi__group__{push.GROUP}"
    await until_async(lambda: redis.publish(name, b"\xc1"))  # no msgpack; answered with the number of listeners
    for broken in ({"type": "job.events", "job": "of another version"}, {"kind": "no type"}):
        await layer.group_send(push.GROUP, broken)
    push.queue_changed()
    await until(lambda: reader.queues > 0)
    await redis.aclose()


async def test_many_events_at_once_are_read_from_the_database(
    running_hub: Hub, owner: User, make_job: Callable[..., Job]
) -> None:
    job = await sync_to_async(make_job)(owner, status=Status.RUNNING)
    reader = Reader()
    running_hub.enter(reader)
    await running_hub.follow(Following(reader, job.pk, 0, batch=False))
    await note(job, *(f"line {number}" for number in range(push.MAX_CARRIED + 1200)))
    await note(job, "the last")
    await until(lambda: len(reader.seqs()) >= push.MAX_CARRIED + 1201)
    assert reader.seqs() == list(range(1, push.MAX_CARRIED + 1202))


async def test_followers_meet_replay_and_live_events_in_any_mixture(
    running_hub: Hub, owner: User, make_job: Callable[..., Job]
) -> None:
    job = await sync_to_async(make_job)(owner, status=Status.RUNNING)
    readers = [Reader() for _ in range(20)]

    async def write() -> None:
        for number in range(60):
            await note(job, f"line {number}")

    async def join() -> None:
        for reader in readers:
            running_hub.enter(reader)
            await running_hub.follow(Following(reader, job.pk, 0, batch=False))

    await asyncio.gather(write(), join())
    await until(lambda: all(len(reader.seqs()) >= 60 for reader in readers))
    assert all(reader.seqs() == list(range(1, 61)) for reader in readers)


@pytest.mark.parametrize("takes_frames", [True, False])
async def test_the_consumer_serves_under_daphne_and_under_any_other_server(
    takes_frames: bool, running_hub: Hub, owner: User, make_job: Callable[..., Job]
) -> None:
    job = await sync_to_async(make_job)(owner, status=Status.RUNNING)
    await note(job, "one", "two")
    written = bytearray()
    client = WebsocketCommunicator(PortalConsumer.as_asgi(), "/ws/")
    client.scope["identity"] = Identity(user=owner, language="en", address=None)
    if takes_frames:
        client.scope["extensions"] = {EXTENSION: {"write": written.extend, "blocked": lambda: False}}
    sent: list[Any] = []

    async def frames(count: int) -> list[Any]:
        while len(sent) < count:
            if takes_frames:
                await until(lambda: len(list(texts(bytes(written)))) >= count)
                sent[:] = [json.loads(text) for text in texts(bytes(written))]
            else:
                sent.append(await client.receive_json_from(WITHIN_S))
        return sent

    assert (await client.connect())[0]
    await client.send_json_to({"task": "subscribe", "job": job.pk})
    assert [frame["seq"] for frame in await frames(2)] == [1, 2]
    await note(job, "three")
    assert [frame["message"] for frame in await frames(3)] == ["one", "two", "three"]
    await client.send_json_to({"task": "ping"})
    assert (await frames(4))[-1]["status"] == "pong"
    await client.disconnect()
