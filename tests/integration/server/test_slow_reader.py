"""Robustness rule 5 of the protocol: a reader that stops reading is closed with 4408, and nobody else notices."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.sync.client import connect

from tests.integration.server.test_limits import MIB, web_process
from tests.portal import Portal

RECEIVE_BUFFER_BYTES = 4096
CLOSED_WITHIN_S = 10.0
CLOSE = 0x8
"""Opcode of a close frame (RFC 6455, 5.2)."""


class RawSocket:
    """A WebSocket client that reads only when told to; websocket libraries read in the background."""

    def __init__(self, portal: Portal, key: str) -> None:
        self._connection = socket.socket()
        # Before connecting: this decides how much the kernel takes in for a reader that does not read.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._connection.settimeout(CLOSED_WITHIN_S)
        self._connection.connect(("127.0.0.1", portal.port))
        self._connection.sendall(
            f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {key}\r\n\r\n".encode()
        )
        self._file = self._connection.makefile("rb")
        assert self._file.readline().startswith(b"HTTP/1.1 101 ")
        while self._file.readline().strip():
            pass

    def send(self, **message: object) -> None:
        payload = json.dumps(message).encode()
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
        # Masked, as a client must, with a mask that changes nothing.
        self._connection.sendall(b"\x81" + length + bytes(4) + payload)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Opcode and payload of what comes, up to the close frame or the connection's end."""
        while len(head := self._file.read(2)) == 2:
            size = head[1] & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self._file.read(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self._file.read(8))
            payload = self._file.read(size)
            yield head[0] & 0x0F, payload
            if head[0] & 0x0F == CLOSE:
                return

    def close(self) -> None:
        self._file.close()
        self._connection.close()


@pytest.fixture
def key(portal: Portal) -> str:
    return portal.manage("createapikey", "admin").strip()


@pytest.fixture
def sleeper(portal: Portal, key: str) -> Iterator[RawSocket]:
    """Follows, and does not read."""
    client = RawSocket(portal, key)
    yield client
    client.close()


def welcome_job(portal: Portal, key: str) -> str:
    """The job every portal has."""
    query = {"q": "Welcome to cosyweb"}  # not just the oldest of a page: other tests have made many jobs
    answer = httpx.get(f"{portal.url}/api/v1/jobs", params=query, headers={"Authorization": f"Bearer {key}"})
    return str(answer.json()["items"][-1]["id"])


def closed_as_too_slow(portal: Portal) -> int:
    return (portal.data_dir / "logs" / "web.log").read_text().count("reads too slowly")


def test_a_reader_that_stops_reading_is_closed_and_nobody_else_notices(
    portal: Portal, key: str, sleeper: RawSocket
) -> None:
    job, process, closed_before = welcome_job(portal, key), web_process(portal), closed_as_too_slow(portal)
    before = process.memory_info().rss
    slowest_answer_s, deadline = 0.0, time.monotonic() + CLOSED_WITHIN_S
    with connect(portal.socket_url, additional_headers={"Authorization": f"Bearer {key}"}) as another:
        while closed_as_too_slow(portal) == closed_before:
            assert time.monotonic() < deadline, portal.logs()
            for _ in range(20):
                sleeper.send(task="subscribe", job=job)  # the whole past of the job again
            asked_at = time.monotonic()
            another.send(json.dumps({"task": "ping"}))
            assert json.loads(another.recv(5))["status"] == "pong"
            slowest_answer_s = max(slowest_answer_s, time.monotonic() - asked_at)
        # The server is done with it: what it still sends is neither answered nor kept.
        for _ in range(200):
            sleeper.send(task="subscribe", job=job)
        another.send(json.dumps({"task": "ping"}))
        assert json.loads(another.recv(5))["status"] == "pong"
    assert slowest_answer_s < 1.0
    assert process.memory_info().rss - before < 20 * MIB


def test_the_close_code_is_the_last_thing_a_slow_reader_reads(portal: Portal, key: str, sleeper: RawSocket) -> None:
    job, closed_before = welcome_job(portal, key), closed_as_too_slow(portal)
    deadline = time.monotonic() + CLOSED_WITHIN_S
    while closed_as_too_slow(portal) == closed_before:
        assert time.monotonic() < deadline, portal.logs()
        sleeper.send(task="subscribe", job=job)
    *events, last = sleeper.frames()
    assert last == (CLOSE, struct.pack("!H", 4408))
    assert all(json.loads(payload)["job"] == job for _opcode, payload in events)
