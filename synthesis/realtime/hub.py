"""One hub per web process: hears each bell once, encodes each event once a language, writes to many sockets.

A channel-layer subscription per socket, with Channels' dispatch of every message through a thread,
costs several times more than the rest of the way (bench/event_path.py measures it).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from synthesis.events import push, replay, wire
from synthesis.events.wire import EventData
from synthesis.jobs.board import Board
from synthesis.jobs.board import read as read_board
from synthesis.monitor import gauges

if TYPE_CHECKING:
    from synthesis.events.wire import PortalLine

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
"""Every so often a follower is brought up to date from the database, bell or no bell."""
QUEUE_EVERY_S = 0.5
GAUGES_EVERY_S = 1.0
REDIS_WITHIN_S = 1.0
"""A Redis that takes longer is away: the database serves, and the next look tries again."""


class Follower(Protocol):
    """A socket that follows jobs; ``send_text`` must not block."""

    language: str

    async def send_text(self, text: str) -> None: ...


class Socket(Follower, Protocol):
    """What the hub knows of any open socket."""

    session: str
    follows_portal: bool
    follows_system: bool

    async def portal_line(self, line: PortalLine) -> None: ...

    async def portal_queue(self, board: Board) -> None: ...

    async def session_ended(self) -> None: ...


class Following:
    """One socket following one job: what was sent last, and whether frames may come in arrays."""

    def __init__(self, follower: Follower, job_id: str, since: int, *, batch: bool) -> None:
        self.follower = follower
        self.job_id = job_id
        self.seq = since
        self.batch = batch
        self._lock = asyncio.Lock()

    async def catch_up(self) -> None:
        """Send everything stored that this socket has not seen."""
        async with self._lock:
            while fresh := await _read(self.job_id, self.seq):
                await self._send(fresh, [encode(self.job_id, event, self.follower.language) for event in fresh])

    async def hear(self, events: list[EventData], frames: Mapping[str, list[str]]) -> None:
        """Forward what a bell carried if it follows on what was sent; else read the database."""
        if not events or events[0]["seq"] > self.seq + 1 or self._lock.locked():
            await self.catch_up()
            return
        async with self._lock:
            skip = self.seq + 1 - events[0]["seq"]
            if skip < len(events):
                await self._send(events[skip:], frames[self.follower.language][skip:])

    async def _send(self, events: list[EventData], frames: list[str]) -> None:
        self.seq = events[-1]["seq"]
        if self.batch and len(frames) > 1:
            await self.follower.send_text("[" + ",".join(frames) + "]")
        else:
            for frame in frames:
                await self.follower.send_text(frame)


class Hub:
    """Lives as long as the event loop it was made in."""

    def __init__(self) -> None:
        self._jobs: dict[str, set[Following]] = defaultdict(set)
        self._sockets: set[Socket] = set()
        self._queue_bell = asyncio.Event()
        self._channel = ""
        self._unheard: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()

    async def follow(self, following: Following) -> None:
        """Join first, then replay, then forward: nothing can fall between."""
        await self._start()
        first = following.job_id not in self._jobs
        self._jobs[following.job_id].add(following)
        if first:
            await self._join(push.job_group(following.job_id))
        await following.catch_up()

    async def unfollow(self, following: Following) -> None:
        members = self._jobs.get(following.job_id, set())
        members.discard(following)
        if not members and self._jobs.pop(following.job_id, None) is not None:
            await self._leave(push.job_group(following.job_id))

    async def enter(self, socket: Socket) -> None:
        await self._start()
        self._sockets.add(socket)

    def leave(self, socket: Socket) -> None:
        self._sockets.discard(socket)

    async def _start(self) -> None:
        async with self._starting:
            if self._tasks:
                return
            try:
                self._channel = await _new_channel()
            except Exception as problem:  # noqa: BLE001 without Redis the hub still serves from the database
                logger.warning("The hub hears no bells for now: %s", problem)
                self._channel = ""
            if self._channel:
                self._tasks.append(asyncio.create_task(self._listen(), name="hub-listen"))
            self._tasks += [
                asyncio.create_task(_for_ever(self._look), name="hub-look"),
                asyncio.create_task(_for_ever(self._tell_queue), name="hub-queue"),
                asyncio.create_task(_for_ever(self._tell_gauges), name="hub-gauges"),
            ]

    async def _join(self, group: str) -> None:
        if self._channel and not await _quietly(get_channel_layer().group_add(group, self._channel)):
            self._unheard.add(group)

    async def _leave(self, group: str) -> None:
        self._unheard.discard(group)
        if self._channel:
            await _quietly(get_channel_layer().group_discard(group, self._channel))

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while True:
            message = await layer.receive(self._channel)
            try:
                await self._pass_on(message)
            except Exception:
                # One broken message or socket must not end the hearing of all others.
                logger.exception("A bell could not be passed on.")

    async def _pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "job.events":
            await self._events(message["job"], message["events"])
        elif message["type"] == "portal.job":
            for socket in self._portals():
                await socket.portal_line(message["line"])
        elif message["type"] == "portal.queue":
            self._queue_bell.set()
        elif message["type"] == "session.ended":
            for socket in [socket for socket in self._sockets if socket.session == message["session"]]:
                await socket.session_ended()

    def _portals(self) -> list[Socket]:
        return [socket for socket in self._sockets if socket.follows_portal]

    async def _tell_queue(self) -> None:
        """Positions in the queue, at most every ``QUEUE_EVERY_S``: each change moves everyone behind it."""
        while True:
            await self._queue_bell.wait()
            self._queue_bell.clear()
            portals = self._portals()
            if portals:
                board = await sync_to_async(read_board)()
                for socket in portals:
                    await socket.portal_queue(board)
            await asyncio.sleep(QUEUE_EVERY_S)

    async def _tell_gauges(self) -> None:
        while True:
            await asyncio.sleep(GAUGES_EVERY_S)
            followers = [socket for socket in self._sockets if socket.follows_system]
            if followers:
                text = json.dumps({"scope": "system", **await sync_to_async(gauges.read)()}, ensure_ascii=False)
                for socket in followers:
                    await socket.send_text(text)

    async def _events(self, job_id: str, events: list[EventData]) -> None:
        members = list(self._jobs.get(job_id, ()))
        languages = {following.follower.language for following in members}
        frames = {language: [encode(job_id, event, language) for event in events] for language in languages}
        for following in members:
            await following.hear(events, frames)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._catch_up_all()
            if not self._channel:
                await self._listen_again()
            for group in list(self._unheard):
                self._unheard.discard(group)
                await self._join(group)

    async def _catch_up_all(self) -> None:
        """One query tells which jobs have more than their followers saw."""
        last = await _last_seqs(list(self._jobs))
        for job_id, seq in last.items():
            for following in list(self._jobs.get(job_id, ())):
                if following.seq < seq:
                    await following.catch_up()

    async def _listen_again(self) -> None:
        self._channel = await _new_channel()
        for job_id in list(self._jobs):
            await self._join(push.job_group(job_id))
        self._tasks.append(asyncio.create_task(self._listen(), name="hub-listen"))


async def _for_ever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A task that a failure (database locked, Redis away) delays but does not end."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("A task of the hub failed; it goes on in a moment.")
            await asyncio.sleep(LOOK_EVERY_S)


def encode(job_id: str, event: EventData, language: str) -> str:
    """A frame as it goes over the wire."""
    return json.dumps(wire.render(job_id, event, language), ensure_ascii=False, separators=(",", ":"))


async def _new_channel() -> str:
    """A channel that hears of the portal; raises what Redis's client raises, or TimeoutError."""
    layer = get_channel_layer()
    async with asyncio.timeout(REDIS_WITHIN_S):
        channel: str = await layer.new_channel("hub.")
        await layer.group_add(push.PORTAL_GROUP, channel)
    return channel


async def _quietly(joining: Any) -> bool:
    """Redis may be away; the next look joins again."""
    try:
        async with asyncio.timeout(REDIS_WITHIN_S):
            await joining
    except Exception as problem:  # noqa: BLE001 any client error means the same: no bells now, the database serves
        logger.warning("A group could not be joined or left: %s", problem)
        return False
    return True


@sync_to_async
def _read(job_id: str, seq: int) -> list[EventData]:
    return replay.after(job_id, seq)


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
