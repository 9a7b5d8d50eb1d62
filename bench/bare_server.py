"""The yardstick of the event path: a bare ``websockets`` server that makes the same messages and stores nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing.connection import Connection

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError

MESSAGE = {
    "status": "running",
    "kind": "progress",
    "stage": "acoustic",
    "step": 2,
    "total": 4,
    "progress": 0.5,
    "eta_s": 1.0,
    "message": "Step 2 of 4: acoustic model",
}


@dataclass(frozen=True, slots=True)
class Work:
    jobs: list[str]
    stored: int
    """Events of each job that a follower gets first."""
    events: int
    """Of each job, afterwards."""
    rate: float
    """Events a second of all jobs together."""


def run(work: Work, pipe: Connection) -> None:
    """Send the port; at any word begin; at the next end."""
    asyncio.run(_run(work, pipe))


async def _run(work: Work, pipe: Connection) -> None:
    followers: dict[str, set[ServerConnection]] = defaultdict(set)

    async def talk(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosedError):  # readers just go
            async for asked in connection:
                job = json.loads(asked)["job"]
                for seq in range(1, work.stored + 1):
                    await connection.send(_message(job, seq, time.time()))
                followers[job].add(connection)

    async with serve(talk, "127.0.0.1", 0) as server:
        pipe.send(next(iter(server.sockets)).getsockname()[1])
        await asyncio.to_thread(pipe.recv)
        began = time.time()
        for number in range(work.events * len(work.jobs)):
            due = began + number / work.rate
            await asyncio.sleep(max(0.0, due - time.time()))
            job = work.jobs[number % len(work.jobs)]
            # The fastest way the library offers: one call, the message encoded once for all.
            broadcast(followers[job], _message(job, work.stored + 1 + number // len(work.jobs), due))
        await asyncio.to_thread(pipe.recv)


def _message(job: str, seq: int, at: float) -> str:
    message = {"job": job, "seq": seq, "at": round(at, 3), **MESSAGE}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
