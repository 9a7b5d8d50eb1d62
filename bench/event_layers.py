"""What each layer between a bell and a socket costs the web process: ``python -m bench.event_layers``.

Microseconds of one thread, each layer alone; ``bench.event_path`` measures them together under load.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

BELLS = 1000
FOLLOWERS = 100
PUBLISH = """
import sys, time, redis
connection = redis.Redis.from_url(sys.argv[1])
for _ in range(int(sys.argv[2])):
    connection.publish("asgi__group__portal", sys.stdin.buffer.peek())
    time.sleep(0.002)
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cosyweb-bench-") as directory:
        for name in ("run", "logs"):
            (Path(directory) / name).mkdir()
        os.environ |= {"DJANGO_SETTINGS_MODULE": "cosyweb.settings", "COSYWEB_DATA_DIR": directory}
        import django

        django.setup()
        from cosyweb import supervision

        words = [str(supervision.redis_server()), str(supervision.redis_config())]
        redis = subprocess.Popen(words, stdout=subprocess.DEVNULL)  # noqa: S603 our own Redis
        try:
            print(json.dumps({**_layers(), **asyncio.run(_receive())}, indent=2))
        finally:
            redis.terminate()
            redis.wait(20)


def _bell() -> dict[str, Any]:
    data = {"stage": "acoustic", "step": 2, "total": 4, "progress": 0.5, "eta_s": 1.0}
    event = {"seq": 5, "at": time.time(), "status": "running", "kind": "progress", "level": "", "data": data}
    return {"type": "job.events", "job": "0123456789abcdef", "newest": 5, "events": [event]}


def _layers() -> dict[str, float]:
    from channels.layers import get_channel_layer

    from synthesis.events import wire
    from synthesis.realtime.audience import Following, Run
    from synthesis.realtime.frames import json_bytes, text_frame

    class Nobody:
        language = "en"

        def blocked(self) -> bool:
            return False

        def write(self, frames: bytes) -> None:
            """What is left out: the system call."""

    bell = _bell()
    job, event = bell["job"], bell["events"][0]
    packed = get_channel_layer().serialize(bell)
    rendered = wire.render(job, event, "en")
    text = json_bytes(rendered)
    run = Run(job, 4, [event])
    followings = [Following(Nobody(), job, 4, batch=False) for _ in range(FOLLOWERS)]
    ours, its = socket.socketpair()

    def take() -> None:
        for following in followings:
            following.seq = 4
            following.take(run)

    def send() -> None:
        ours.send(text)
        its.recv(4096)

    return {
        "unpack_bell_us": _us(lambda: get_channel_layer().deserialize(packed)),
        "render_once_a_language_us": _us(lambda: wire.render(job, event, "en")),
        "json_once_a_language_us": _us(lambda: json_bytes(rendered)),
        "frame_once_a_language_us": _us(lambda: text_frame(text)),
        "each_follower_us": round(_us(take, 100) / FOLLOWERS, 2),
        "send_and_receive_calls_us": _us(send),
    }


def _us(work: Callable[[], Any], number: int = 5000) -> float:
    """The best of five, so that a busy machine disturbs little."""
    return round(min(timeit.repeat(work, number=number, repeat=5)) / number * 1e6, 2)


async def _receive() -> dict[str, float]:
    """CPU of this process for each bell that comes from Redis: as the hub hears it, and by the layer's ``receive``."""
    from channels.layers import get_channel_layer

    from synthesis.events import push
    from synthesis.realtime.ear import hear

    layer = get_channel_layer()
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def put(bells: list[bytes]) -> None:
        for bell in bells:
            heard.put_nowait(bell)

    async def receive() -> Any:
        return await layer.receive(channel)

    async with asyncio.timeout(60):
        channel = await _subscribed(layer, push.GROUP)
        by_layer = await _cpu_us(layer, receive)
        await layer.flush()
        hearing = asyncio.create_task(hear(layer, push.GROUP, put, connect_within_s=1.0))
        by_hub = await _cpu_us(layer, heard.get)
        hearing.cancel()
    return {"hear_bell_cpu_us": by_hub, "receive_bell_by_layer_cpu_us": by_layer}


async def _cpu_us(layer: Any, one: Callable[[], Awaitable[Any]]) -> float:
    from django.conf import settings

    words = [sys.executable, "-c", PUBLISH, settings.REDIS_URL, str(BELLS)]
    publisher = subprocess.Popen(words, stdin=subprocess.PIPE)  # noqa: ASYNC220, S603 our own code
    assert publisher.stdin
    publisher.stdin.write(layer.serialize(_bell()))
    publisher.stdin.flush()
    await one()
    began = time.process_time()
    for _ in range(BELLS - 1):
        await one()
    cpu_s = time.process_time() - began
    publisher.stdin.close()
    publisher.wait(20)
    return round(cpu_s / (BELLS - 1) * 1e6, 1)


async def _subscribed(layer: Any, group: str) -> str:
    """A channel in the group, as soon as Redis answers."""
    from redis.exceptions import ConnectionError as RedisAway

    while True:
        try:
            channel = await layer.new_channel("bench.")
            await layer.group_add(group, channel)
        except RedisAway:
            await asyncio.sleep(0.05)
        else:
            return str(channel)


if __name__ == "__main__":
    main()
