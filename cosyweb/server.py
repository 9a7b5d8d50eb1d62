"""daphne, with the limits it lacks.

By itself it takes twelve times a body's size in memory before any view, login or CSRF check runs, and
buffers without bound for a socket whose reader has stopped reading.
"""

from __future__ import annotations

import json
import logging
import resource
import socket
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from django.http.cookie import parse_cookie
from django.utils import translation
from django.utils.translation import gettext as _

from synthesis.accounts import language
from synthesis.realtime.frames import CLOSE_TOO_SLOW, EXTENSION, MAX_UNREAD_BYTES

logger = logging.getLogger(__name__)

MAX_FRAME_BYTES = 64 * 1024
READ_REST_WITHIN_S = 30
"""A closed slow reader has this long to take what waits for it, the close code last; then the connection is cut."""
SOCKET_BUFFER_BYTES = 256 * 1024
"""What the kernel keeps for a socket. By itself it grows to 4 MiB for a reader that does not read."""
MAX_WAITING_REQUESTS = 64
"""Of one socket. Then nothing more is read from it until they are answered."""
READ_AGAIN_AFTER_S = 0.02
MAX_OPEN_FILES = 65536
WEBSOCKET_TIMEOUT_S = -1  # sockets may stay open for days; pings find the dead ones


class BoundedRequest(WebRequest):  # type: ignore[misc]  # daphne ships no types
    """Refuses a body over the limit while it is being sent: 413, then the connection closes.

    An answer that fails in the middle breaks the connection, so that nobody takes a part for the whole.
    """

    _refused = False
    _received_bytes = 0

    def gotLength(self, length: int | None) -> None:  # noqa: N802 twisted's name
        if length is not None and length > settings.MAX_BODY_BYTES:
            self._refuse()
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 twisted's name
        self._received_bytes += len(data)
        if self._received_bytes > settings.MAX_BODY_BYTES:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 twisted's name
        if not self._refused:
            super().requestReceived(command, path, version)

    def handle_exception(self, exception: BaseException) -> None:
        # daphne would begin a second answer, stumble over that, and from then on look after no request any more.
        if self._response_started and not self.finished and self.channel is not None:
            self.channel.transport.abortConnection()
        else:
            super().handle_exception(exception)

    def _refuse(self) -> None:
        if self._refused:
            return
        self._refused = True
        body = _too_large_body(self.requestHeaders)
        head = (
            "HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.channel.transport.write(head.encode() + body)
        self.channel.transport.loseConnection()


def _too_large_body(headers: Any) -> bytes:
    cookies = parse_cookie(_header(headers, b"cookie"))
    with translation.override(language.choose(cookies, _header(headers, b"accept-language"))):
        message = _("The file is larger than 10 MiB.")
        hint = _("Cut it to 3 to 15 seconds of clear speech.")
        error = {"code": "too_large", "message": message, "hint": hint, "fields": {"audio": message}}
    return json.dumps({"error": error}, ensure_ascii=False).encode()


def _header(headers: Any, name: bytes) -> str:
    values = headers.getRawHeaders(name) or [b""]
    return str(values[0].decode("latin-1"))


class BoundedSocket(WebSocketProtocol):  # type: ignore[misc]  # daphne ships no types
    """Closes (4408) when its reader has stopped reading and too much waits; takes requests as it answers them."""

    _blocked = False
    _closed_too_slow = False
    _listening = True
    _unread_bytes = 0

    def onOpen(self) -> None:  # noqa: N802 autobahn's name
        self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        self.transport.unregisterProducer()  # the HTTP channel that the upgrade has left behind
        self.transport.registerProducer(self, True)
        super().onOpen()

    def pauseProducing(self) -> None:  # noqa: N802 twisted's name
        self._blocked = True

    def resumeProducing(self) -> None:  # noqa: N802 twisted's name
        self._blocked, self._unread_bytes = False, 0

    def stopProducing(self) -> None:  # noqa: N802 twisted's name
        """The transport is gone; onClose follows."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 autobahn's names
        if self._closed_too_slow:
            return  # it may go on asking; nothing could answer
        super().onMessage(payload, isBinary)
        if self._listening and self.application_queue.qsize() > MAX_WAITING_REQUESTS:
            self._listening = False
            self.transport.pauseProducing()
            self._listen_when_answered()

    def _listen_when_answered(self) -> None:
        if self.application_queue.qsize() > MAX_WAITING_REQUESTS // 2:
            self.factory.reactor.callLater(READ_AGAIN_AFTER_S, self._listen_when_answered)
        else:
            self._listening = True
            self.transport.resumeProducing()

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802 daphne's name
        if not self._too_slow_for(len(content)):
            super().serverSend(content, binary)

    def write_frames(self, frames: bytes) -> None:
        """Write frames that are encoded already, at once if nothing waits before them.

        The usual way to here (coroutine, checks, message to frame, a turn of the reactor for each write, which takes
        three system calls) costs several times more than this one system call.
        """
        if self.state != self.STATE_OPEN:
            return
        transport = self.transport
        sent = 0
        if not (transport.dataBuffer or transport._tempDataBuffer):  # noqa: SLF001 twisted has no other name for what waits
            try:
                sent = transport.socket.send(frames)
            except OSError:
                sent = 0  # full, or broken: the reactor will meet the same, and knows how to wait and how to end
        if sent < len(frames) and not self._too_slow_for(len(frames) - sent):
            transport.write(frames[sent:])

    def is_blocked(self) -> bool:
        """Whether more waits for the reader than the transport likes to hold."""
        return self._blocked

    def _too_slow_for(self, size: int) -> bool:
        """Count what goes into a full buffer; past the limit close."""
        if self._blocked:
            self._unread_bytes += size
            if self._unread_bytes > MAX_UNREAD_BYTES:
                self._close_too_slow()
        return self._closed_too_slow

    def _close_too_slow(self) -> None:
        if self._closed_too_slow:
            return
        self._closed_too_slow = True
        logger.info("A socket reads too slowly and is closed.")
        # autobahn waits one second for the answer and then discards what was not taken, the close code too.
        self.closeHandshakeTimeout = READ_REST_WITHIN_S
        self.serverClose(code=CLOSE_TOO_SLOW)


class PortalServer(Server):  # type: ignore[misc]  # daphne ships no types
    """daphne's server with bounded requests and sockets, which take encoded frames."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "websocket":
            scope = {
                **scope,
                "extensions": {EXTENSION: {"write": protocol.write_frames, "blocked": protocol.is_blocked}},
            }
        return super().create_application(protocol, scope)

    def run(self) -> None:
        from daphne import server as daphne_server  # noqa: PLC0415 beside the two names that are replaced in it

        class Requests(daphne_server.HTTPFactory):  # type: ignore[misc]
            def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 twisted's name
                protocol = super().buildProtocol(addr)
                protocol.requestFactory = BoundedRequest
                return protocol

        class Sockets(daphne_server.WebSocketFactory):  # type: ignore[misc]
            protocol = BoundedSocket

        daphne_server.HTTPFactory, daphne_server.WebSocketFactory = Requests, Sockets
        super().run()


def serve(application: Any, host: str, port: int) -> None:
    """Serve until a signal comes."""
    _allow_many_sockets()
    PortalServer(
        application,
        endpoints=[f"tcp:port={port}:interface={host.replace(':', chr(92) + ':')}"],
        websocket_timeout=WEBSOCKET_TIMEOUT_S,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_max_frame_size=MAX_FRAME_BYTES,
        server_name="cosyweb",
    ).run()


def _allow_many_sockets() -> None:
    """Many systems let a process open 1,024 files unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
