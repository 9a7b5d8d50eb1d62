"""A page's socket, as docs/socket.md tells a client to behave: reconnects with backoff, resumes after its last seq."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import websockets

from tests.faults.scene import TERMINAL

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 4.0


class Browser:
    """Follows one job to its end, through whatever happens to the connection."""

    def __init__(self, url: str, key: str, job_id: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
        self.job_id = job_id
        self.frames: list[dict[str, Any]] = []
        self.delays_s: list[float] = []
        """From what happened to its frame's arrival."""
        self.connections = 0

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames]

    async def follow(self) -> None:
        """Return when the job has ended."""
        wait_s = FIRST_WAIT_S
        while not self.ended:
            before = len(self.frames)
            with contextlib.suppress(OSError, websockets.WebSocketException):
                await self._listen()
            if not self.ended:
                wait_s = FIRST_WAIT_S if len(self.frames) > before else min(2 * wait_s, LONGEST_WAIT_S)
                await asyncio.sleep(wait_s)  # the backoff that is asked of clients

    async def _listen(self) -> None:
        async with websockets.connect(self._url, additional_headers=self._headers, open_timeout=30) as connection:
            self.connections += 1
            since = self.frames[-1]["seq"] if self.frames else 0
            await connection.send(json.dumps({"task": "subscribe", "job": self.job_id, "since": since}))
            while not self.ended:
                self.frames.append(json.loads(await connection.recv()))
                self.delays_s.append(time.time() - self.frames[-1]["at"])

    @property
    def ended(self) -> bool:
        """Its job has ended for it too."""
        return bool(self.frames) and self.frames[-1]["status"] in TERMINAL
