"""Who follows a job, and how each gets every event once and in order.

A follower takes only what follows on what it has. That is decided, written and noted in one step without an ``await``,
so live events and any number of replays may meet at one follower in any order: there is nothing to lock.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_right
from operator import itemgetter
from typing import Protocol

from asgiref.sync import sync_to_async

from synthesis.events import replay, wire
from synthesis.events.wire import EventData
from synthesis.realtime.frames import json_bytes, text_frame

logger = logging.getLogger(__name__)

REPLAY_PATIENCE_S = 10.0
DRAIN_LOOK_S = 0.01


class Run:
    """All events of a job after ``since`` up to ``last``, encoded once for all who read them in the same way."""

    def __init__(self, job_id: str, since: int, events: list[EventData]) -> None:
        self.since, self.last, self.size = since, events[-1]["seq"], len(events)
        self._job_id, self._events = job_id, events
        self._texts: dict[str, list[bytes]] = {}
        self._frames: dict[tuple[str, bool, int], bytes] = {}

    def frames_after(self, seq: int, language: str, *, batch: bool) -> bytes:
        """What comes after ``seq`` (not before ``since``), as bytes for the wire."""
        key = (language, batch, seq)
        if key not in self._frames:
            known = bisect_right(self._events, seq, key=itemgetter("seq"))
            texts = self._texts_in(language)[known:]
            if batch and len(texts) > 1:
                texts = [b"[" + b",".join(texts) + b"]"]
            self._frames[key] = b"".join(map(text_frame, texts))
        return self._frames[key]

    def _texts_in(self, language: str) -> list[bytes]:
        if language not in self._texts:
            self._texts[language] = [json_bytes(wire.render(self._job_id, event, language)) for event in self._events]
        return self._texts[language]


class Follower(Protocol):
    """A socket that follows jobs."""

    language: str

    def write(self, frames: bytes) -> None: ...

    def blocked(self) -> bool: ...


class Following:
    """One socket following one job: what it has, and whether several events may come in one array."""

    def __init__(self, follower: Follower, job_id: str, since: int, *, batch: bool) -> None:
        self.job_id = job_id
        self.seq = since
        self.replaying = True
        self._follower = follower
        self._write = follower.write
        self._batch = batch

    async def drained(self) -> None:
        """Return when the reader has taken what was sent, or takes too long (then writing on closes its socket)."""
        until = time.monotonic() + REPLAY_PATIENCE_S
        # The transport tells a flag, not a moment, and only long replays to slow readers wait here.
        while self._follower.blocked() and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_LOOK_S)

    def take(self, run: Run) -> bool:
        """Send what is new of a run; false if something is missing before it."""
        if run.since > self.seq:
            return False
        if run.last > self.seq:
            frames = run.frames_after(self.seq, self._follower.language, batch=self._batch)
            self.seq = run.last
            self._write(frames)
        return True


class Audience:
    """All who follow one job."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._members: set[Following] = set()
        self._heard: list[EventData] = []
        self._newest = 0
        """The highest seq that was heard of."""
        self._reading: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        return bool(self._members)

    async def join(self, following: Following) -> None:
        """Join first, then replay, then forward: nothing can fall between."""
        self._members.add(following)
        try:
            while run := await _read(self._job_id, following.seq):
                following.take(run)
                if run.size < replay.PAGE:
                    break  # what was stored since then is in a bell, or in the next look
                await following.drained()  # a long past is told as fast as it is read, not faster
        finally:
            following.replaying = False
        self.heard_of(self._newest)

    def leave(self, following: Following) -> None:
        self._members.discard(following)

    def hear(self, newest: int, events: list[EventData]) -> None:
        """Gather what bells carried (perhaps nothing, then ``newest`` tells of it) until ``forward``."""
        if self._heard and events and events[0]["seq"] != self._heard[-1]["seq"] + 1:
            self.forward()
        self._heard += events
        self._newest = max(self._newest, newest)

    def forward(self) -> None:
        """Send what was heard, all at once. Who misses something before it, or something it lacks, reads."""
        heard, self._heard = self._heard, []
        if heard:
            run = Run(self._job_id, heard[0]["seq"] - 1, heard)
            for following in self._members:
                following.take(run)
        self.heard_of(self._newest)

    def heard_of(self, newest: int) -> None:
        self._newest = max(self._newest, newest)
        if self._reading is None and self._behind():
            self._reading = asyncio.create_task(self._read_behind(), name="audience-read")

    def _behind(self) -> list[Following]:
        return [each for each in self._members if each.seq < self._newest and not each.replaying]

    async def _read_behind(self) -> None:
        """Read once for all who miss something, whoever misses most first."""
        try:
            while behind := self._behind():
                run = await _read(self._job_id, min(each.seq for each in behind))
                if run is None:
                    break  # deleted meanwhile
                for following in behind:
                    following.take(run)
        except Exception:
            logger.exception("Events could not be read; followers of this job wait for the next look.")
        finally:
            self._reading = None


@sync_to_async
def _read(job_id: str, seq: int) -> Run | None:
    events = replay.after(job_id, seq)
    return Run(job_id, seq, events) if events else None
