"""The doorbell: the only module that knows the channel layer.

A bell may be lost, late or doubled without anyone noticing: readers trust the database and the
sequence numbers alone. So ringing never blocks and never fails its caller.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer

from synthesis.events.wire import event_data

if TYPE_CHECKING:
    from synthesis.models import Event

logger = logging.getLogger(__name__)

GROUP = "portal"
"""Every web process hears every bell, in one group: most bells concern each of them (pages show all jobs), and so
following a job costs Redis nothing."""
MAX_WAITING = 1000
"""Bells that wait to be rung, at most; the rest are dropped (readers look by themselves every few seconds)."""
MAX_CARRIED = 64
"""A bell carries this many fresh events at most, so that the usual reader needs no query."""
BREAK_S = 1.0
"""After a failure Redis is left alone for this long."""


def events(job_id: str, rows: list[Event]) -> None:
    """Announce fresh events of a job, at least one."""
    carried = [event_data(row) for row in (rows if len(rows) <= MAX_CARRIED else [])]
    _bell.ring({"type": "job.events", "job": job_id, "newest": rows[-1].seq, "events": carried})


def queue_changed() -> None:
    """Announce that positions in the queue may have changed."""
    _bell.ring({"type": "portal.queue"})


def session_ended(session: str) -> None:
    """Close the sockets that a login session opened. ``session`` is its digest."""
    _bell.ring({"type": "session.ended", "session": session})


class _Bell:
    """A thread with an event loop of its own.

    The layer's connections belong to a loop; ``async_to_sync`` would make a new loop, and so a new
    connection, for every call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Queue[dict[str, Any]] | None = None
        self._pid = 0

    def ring(self, message: dict[str, Any]) -> None:
        loop, waiting = self._running()
        loop.call_soon_threadsafe(self._put, waiting, message)

    @staticmethod
    def _put(waiting: asyncio.Queue[dict[str, Any]], message: dict[str, Any]) -> None:
        if waiting.qsize() < MAX_WAITING:
            waiting.put_nowait(message)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Queue[dict[str, Any]]]:
        with self._lock:
            if self._loop is None or self._waiting is None or self._pid != os.getpid():
                self._loop, self._waiting, self._pid = asyncio.new_event_loop(), asyncio.Queue(), os.getpid()
                threading.Thread(target=self._run, args=(self._loop, self._waiting), name="bell", daemon=True).start()
            return self._loop, self._waiting

    def _run(self, loop: asyncio.AbstractEventLoop, waiting: asyncio.Queue[dict[str, Any]]) -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(self._send_all(waiting))

    async def _send_all(self, waiting: asyncio.Queue[dict[str, Any]]) -> None:
        broken_until = 0.0
        while True:
            message = await waiting.get()
            if time.monotonic() < broken_until:
                continue
            try:
                async with asyncio.timeout(BREAK_S):
                    await get_channel_layer().group_send(GROUP, message)
            except Exception as problem:  # noqa: BLE001 whatever Redis or its client raises, work goes on without bells
                logger.warning("Events are stored but not announced for now: %s", problem)
                broken_until = time.monotonic() + BREAK_S


_bell = _Bell()
