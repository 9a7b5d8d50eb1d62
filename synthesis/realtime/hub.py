"""One hub per web process: hears each bell once, encodes each event once a language, writes to many sockets.

A channel-layer subscription per socket, with Channels' dispatch of every message through a thread,
costs several times more than the rest of the way (docs/event-path.md says what each part costs).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from synthesis.events import push, replay
from synthesis.jobs.board import Board
from synthesis.jobs.board import read as read_board
from synthesis.monitor import gauges
from synthesis.realtime import requests
from synthesis.realtime.audience import Audience, Follower, Following
from synthesis.realtime.ear import hear
from synthesis.realtime.frames import json_frame

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
"""Every so often all followers are compared with the database, bell or no bell."""
LINES_EVERY_S = 0.25
QUEUE_EVERY_S = 0.5
GAUGES_EVERY_S = 1.0
REDIS_WITHIN_S = 1.0
"""A Redis that takes longer is away: the database serves, and hearing is tried again in a moment."""
HEAR_AGAIN_S = 0.5


class Socket(Follower, Protocol):
    """What the hub knows of any open socket."""

    session: str
    follows_portal: bool
    follows_system: bool

    def may_see(self, owner: int) -> bool: ...

    def portal_queue(self, board: Board) -> None: ...

    async def session_ended(self) -> None: ...


class Hub:
    """Lives as long as the event loop it was made in."""

    def __init__(self) -> None:
        self._audiences: dict[str, Audience] = {}
        self._sockets: set[Socket] = set()
        self._changed: set[str] = set()
        """Jobs whose one-line state the portals have yet to be told."""
        self._changed_bell = asyncio.Event()
        self._queue_bell = asyncio.Event()
        self._ended: set[str] = set()
        """Login sessions whose sockets are to be closed."""
        self._ended_bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # What sockets ask of it

    def enter(self, socket: Socket) -> None:
        self._sockets.add(socket)
        if not self._tasks:
            tellers = (self._tell_lines, self._tell_queue, self._tell_gauges)
            works = (self._listen, self._look, self._end_sessions, *tellers)
            self._tasks = [asyncio.create_task(_for_ever(work), name=f"hub{work.__name__}") for work in works]

    def leave(self, socket: Socket) -> None:
        self._sockets.discard(socket)

    async def follow(self, following: Following) -> None:
        audience = self._audiences.setdefault(following.job_id, Audience(following.job_id))
        await audience.join(following)

    def unfollow(self, following: Following) -> None:
        audience = self._audiences.get(following.job_id)
        if audience is not None:
            audience.leave(following)
            if not audience:
                del self._audiences[following.job_id]

    async def stop(self) -> None:
        """End its tasks, before the event loop ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    # What it does by itself

    async def _listen(self) -> None:
        """Bells that come together make one write for each follower: a hub that falls behind catches up."""
        reached = True
        while True:
            try:
                await hear(get_channel_layer(), push.GROUP, self._hear, connect_within_s=REDIS_WITHIN_S)
                reached = True
            except (OSError, TimeoutError, RedisError) as problem:
                if reached:
                    logger.warning("Bells are not heard for now, only looked for: %r", problem)
                reached = False
            await asyncio.sleep(HEAR_AGAIN_S)

    def _hear(self, bells: list[bytes]) -> None:
        rung = set()
        for bell in bells:
            try:
                if audience := self._hear_one(get_channel_layer().deserialize(bell)):
                    rung.add(audience)
            except Exception:
                # Nor may one broken bell (perhaps of a worker of another version) end the hearing.
                logger.exception("A bell was not understood.")
        for audience in rung:
            try:
                audience.forward()
            except Exception:
                # One broken event must not keep all others from their followers.
                logger.exception("Events could not be passed on.")

    def _hear_one(self, message: dict[str, Any]) -> Audience | None:
        """The audience that has something to forward now."""
        if message["type"] == "job.events":
            self._changed.add(message["job"])
            self._changed_bell.set()
            if audience := self._audiences.get(message["job"]):
                audience.hear(message["newest"], message["events"])
                return audience
        elif message["type"] == "portal.queue":
            self._queue_bell.set()
        elif message["type"] == "session.ended":
            self._ended.add(message["session"])
            self._ended_bell.set()
        return None

    async def _end_sessions(self) -> None:
        while True:
            await self._ended_bell.wait()
            self._ended_bell.clear()
            ended, self._ended = self._ended, set()
            for socket in [socket for socket in self._sockets if socket.session in ended]:
                await socket.session_ended()

    async def _look(self) -> None:
        """One query tells which jobs have more than their followers saw."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for job_id, newest in (await _last_seqs(list(self._audiences))).items():
                audience = self._audiences.get(job_id)
                if audience is not None:
                    audience.heard_of(newest)

    def _portals(self) -> list[Socket]:
        return [socket for socket in self._sockets if socket.follows_portal]

    async def _tell_lines(self) -> None:
        """One-line states of changed jobs, at once after quiet, else every ``LINES_EVERY_S``; from the database."""
        while True:
            await self._changed_bell.wait()
            self._changed_bell.clear()
            changed, self._changed = self._changed, set()
            if self._portals():
                for line in await sync_to_async(requests.portal_lines)(changed):
                    frame = json_frame({"scope": "portal", "job": line})
                    for socket in self._portals():
                        if socket.may_see(line["owner"]):
                            socket.write(frame)
            await asyncio.sleep(LINES_EVERY_S)

    async def _tell_queue(self) -> None:
        """Positions in the queue, at most every ``QUEUE_EVERY_S``: each change moves everyone behind it."""
        while True:
            await self._queue_bell.wait()
            self._queue_bell.clear()
            portals = self._portals()
            if portals:
                board = await sync_to_async(read_board)()
                for socket in portals:
                    socket.portal_queue(board)
            await asyncio.sleep(QUEUE_EVERY_S)

    async def _tell_gauges(self) -> None:
        while True:
            await asyncio.sleep(GAUGES_EVERY_S)
            followers = [socket for socket in self._sockets if socket.follows_system]
            if followers:
                frame = json_frame({"scope": "system", **await sync_to_async(gauges.read)()})
                for socket in followers:
                    socket.write(frame)


async def _for_ever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A task that a failure (database locked, Redis away) delays but does not end."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("A task of the hub failed; it goes on in a moment.")
            await asyncio.sleep(LOOK_EVERY_S)


@sync_to_async
def _last_seqs(job_ids: list[str]) -> dict[str, int]:
    return replay.last_seqs(job_ids)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
