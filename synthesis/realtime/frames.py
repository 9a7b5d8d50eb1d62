"""Text frames as they lie on the wire (RFC 6455, section 5.2).

A server does not mask, so the same bytes serve every socket: they are made once and written many times. A web
server that can write them says so in the scope (``EXTENSION``); for any other, the texts are taken out again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol

logger = logging.getLogger(__name__)

EXTENSION = "cosyweb.frames"
"""In an ASGI scope's ``extensions``: ``{"write": f, "blocked": g}``. ``f(bytes)`` writes whole frames and does not
block; ``g()`` is true while the reader takes less than is written."""
CLOSE_TOO_SLOW = 4408
MAX_UNREAD_BYTES = 1024 * 1024
"""What waits for a reader that takes nothing: past this its socket is closed, and comes back through replay."""
_WHOLE_TEXT = b"\x81"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # json.dumps would make one each time


def text_frame(text: bytes) -> bytes:
    """The frame of one message in UTF-8."""
    size = len(text)
    if size < 126:
        return _WHOLE_TEXT + bytes((size,)) + text
    if size < 1 << 16:
        return _WHOLE_TEXT + b"\x7e" + size.to_bytes(2, "big") + text
    return _WHOLE_TEXT + b"\x7f" + size.to_bytes(8, "big") + text


def json_frame(message: Mapping[str, Any]) -> bytes:
    return text_frame(json_bytes(message))


def json_bytes(message: Mapping[str, Any]) -> bytes:
    return _encode(message).encode()


def texts(frames: bytes) -> Iterator[str]:
    """The messages within what ``text_frame`` made, one or several in a row."""
    begin = 0
    while begin < len(frames):
        size, head = frames[begin + 1], 2
        if size == 126:
            size, head = int.from_bytes(frames[begin + 2 : begin + 4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(frames[begin + 2 : begin + 10], "big"), 10
        end = begin + head + size
        yield frames[begin + head : end].decode()
        begin = end


class Outlet(Protocol):
    """Where frames of one socket go; ``write`` never blocks."""

    def write(self, frames: bytes) -> None: ...

    def blocked(self) -> bool:
        """Whether the reader takes less than is written: who can wait should."""
        ...

    def close(self) -> None:
        """The socket is gone."""


class WireOutlet:
    """The web server writes our bytes as they are."""

    def __init__(self, write: Callable[[bytes], None], blocked: Callable[[], bool]) -> None:
        self.write = write
        self.blocked = blocked

    def close(self) -> None:
        """Nothing is held."""


class MessageOutlet:
    """For a server without the extension: one ASGI message after the other, in a task that waits for each."""

    def __init__(self, send: Callable[[str], Awaitable[None]], close: Callable[[int], Awaitable[None]]) -> None:
        self._send, self._close = send, close
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._waiting_bytes = 0
        self._task = asyncio.create_task(self._send_all())

    def write(self, frames: bytes) -> None:
        if self._waiting_bytes > MAX_UNREAD_BYTES:
            return
        self._waiting_bytes += len(frames)
        self._waiting.put_nowait(frames)
        if self._waiting_bytes > MAX_UNREAD_BYTES:
            logger.info("A socket reads too slowly and is closed.")
            self._task.cancel()
            self._task = asyncio.create_task(self._hang_up())

    def blocked(self) -> bool:
        return self._waiting_bytes > 0

    def close(self) -> None:
        self._task.cancel()

    async def _send_all(self) -> None:
        while True:
            frames = await self._waiting.get()
            for text in texts(frames):
                await self._send(text)
            self._waiting_bytes -= len(frames)

    async def _hang_up(self) -> None:
        await self._close(CLOSE_TOO_SLOW)
