"""Sockets that are idle for long, and readers that sleep: against a real server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import Iterator

import pytest
import websockets

from tests.integration.realtime.test_socket import SHORT, WITHIN_S, Socket, connect
from tests.portal import Portal

PING, PONG, TEXT = 0x89, 0x8A, 0x81
PINGED_WITHIN_S = 40.0
LINES = 2500
LINE = "x" * 4000
"""Together far more than the system's socket buffers (up to some 4 MB) and the server's limit hold."""
BELL = "import time; from synthesis.events import push; push.queue_changed(); time.sleep(1)"
WRITE = f"""
from synthesis.events.facts import Logged
from synthesis.events.record import record
from synthesis.models import Job
from synthesis.vocabulary import Level
for _ in range({LINES} // 50):
    record(Job.objects.all(), "%s", [Logged(severity=Level.INFO, stage=None, message="{LINE}")] * 50)
"""


@pytest.fixture(scope="module")
def key(portal: Portal) -> str:
    return portal.manage("createapikey", "admin").strip()


def frames(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """First byte and payload of each frame the server sends, its pings too."""
    with connection.makefile("rb") as stream:
        while True:
            first, length = stream.read(2)
            if length == 126:
                length = int.from_bytes(stream.read(2), "big")
            elif length == 127:
                length = int.from_bytes(stream.read(8), "big")
            yield first, stream.read(length)


def send(connection: socket.socket, first: int, payload: bytes) -> None:
    connection.sendall(bytes((first, 0x80 | len(payload), 0, 0, 0, 0)) + payload)  # masked with zeros


def test_an_idle_socket_is_pinged_stays_open_and_still_hears(portal: Portal, key: str) -> None:
    with socket.create_connection(("127.0.0.1", portal.port), PINGED_WITHIN_S) as connection:
        connection.sendall(
            f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {key}\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        received = frames(connection)
        send(connection, TEXT, b'{"task":"subscribe","scope":"portal"}')
        send(connection, PONG, next(payload for first, payload in received if first == PING))
        portal.manage("shell", "-c", BELL)
        assert next(payload for first, payload in received if first == TEXT and b'"queue"' in payload)


async def test_a_reader_that_sleeps_comes_back_through_replay(portal: Portal, key: str) -> None:
    async with connect(portal, key) as connection:
        awake = Socket(connection)
        await awake.send(task="generate_audio", text=SHORT)
        ended = await awake.until_ended()
    job, last = ended[0]["job"], ended[-1]["seq"]
    headers = {"Authorization": f"Bearer {key}"}
    seqs: list[int] = []
    closed = False
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    narrow.connect(("127.0.0.1", portal.port))
    # It stops reading when 16 messages wait, as a page does that the browser has frozen.
    async with websockets.connect(
        portal.socket_url, sock=narrow, additional_headers=headers, ping_interval=None
    ) as sleeper:
        await sleeper.send(json.dumps({"task": "subscribe", "job": job, "since": last}))
        await asyncio.to_thread(portal.manage, "shell", "-c", WRITE % job)
        try:
            while len(seqs) < LINES:
                seqs.append(json.loads(await asyncio.wait_for(sleeper.recv(), WITHIN_S))["seq"])
        except websockets.ConnectionClosed:
            closed = True
    assert closed
    async with connect(portal, key) as connection:
        awake = Socket(connection)
        await awake.send(task="subscribe", job=job, since=seqs[-1])
        while len(seqs) < LINES:
            seqs.append((await awake.receive())["seq"])
    assert seqs == list(range(last + 1, last + LINES + 1))
