"""Many sockets read by one process with as little work as can be: the same reader for every server that is measured."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import socket
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

OPENED_AT_ONCE = 20
SILENCE_S = 15.0
"""Nothing came for this long: what is missing is lost."""
PING, PONG = 0x89, 0x8A
_EVENT = re.compile(rb'"job":"(\w+)","seq":(\d+),"at":([\d.]+)')


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process of readers follows."""

    port: int
    key: str
    follows: list[list[str]]
    """For each socket, the jobs it follows."""
    stored: int
    """Number of the newest event of each job before the measurement: who has it, follows."""
    events: int
    """Events of each job that come afterwards."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the readers saw."""

    latencies_s: list[float]
    """From fact to arrival, of each event."""
    lost: int
    disordered: int
    """Events that came twice or out of turn."""


def read_all(plan: Plan, pipe: Connection) -> None:
    """Say ``ready`` when every socket follows; send ``Seen`` when everything came, or silence fell."""
    poll = select.epoll()
    readers: dict[int, _Reader] = {}
    for first in range(0, len(plan.follows), OPENED_AT_ONCE):
        opened = [_Reader(plan, jobs) for jobs in plan.follows[first : first + OPENED_AT_ONCE]]
        for reader in opened:
            reader.subscribe()
            readers[reader.number] = reader
            poll.register(reader.number, select.EPOLLIN)
    following = sum(len(jobs) for jobs in plan.follows)
    _read(poll, readers, following * plan.stored)
    pipe.send("ready")
    expected = following * plan.events
    latencies = _read(poll, readers, expected)
    disordered = sum(reader.disordered for reader in readers.values())
    pipe.send(Seen(latencies.tolist(), expected - len(latencies), disordered))


def _read(poll: select.epoll, readers: dict[int, _Reader], expected: int) -> array[float]:
    latencies: array[float] = array("d")
    while len(latencies) < expected:
        ready = poll.poll(SILENCE_S)
        if not ready:
            break
        for number, _ in ready:
            readers[number].read(latencies)
    return latencies


class _Reader:
    """One socket. Unlike a client library it checks no more than the bench needs."""

    def __init__(self, plan: Plan, jobs: list[str]) -> None:
        self._jobs = jobs
        self._seq = {job.encode(): 0 for job in jobs}
        self._unread = b""
        self.disordered = 0
        self._socket = socket.create_connection(("127.0.0.1", plan.port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self._socket.fileno()
        nonce = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\nAccept-Language: en\r\n"
            f"Authorization: Bearer {plan.key}\r\n\r\n".encode()
        )

    def subscribe(self) -> None:
        while b"\r\n\r\n" not in self._unread:
            self._unread += self._socket.recv(4096)
        answer, _, self._unread = self._unread.partition(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise RuntimeError(answer.decode())
        for job in self._jobs:
            self._send(0x81, json.dumps({"task": "subscribe", "job": job}).encode())
        self._socket.setblocking(False)

    def read(self, latencies: array[float]) -> None:
        data = self._socket.recv(1 << 18)
        arrived = time.time()
        if not data:
            raise RuntimeError("the server closed a socket")
        for first, payload in self._frames(data):
            if first == PING:
                self._send(PONG, payload)
                continue
            for job, seq, at in _EVENT.findall(payload):
                self.disordered += int(seq) != self._seq[job] + 1
                self._seq[job] = int(seq)
                latencies.append(arrived - float(at))

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Whole frames (first byte, payload); a part of one waits for the next read."""
        data = self._unread + data
        begin = 0
        while len(data) - begin >= 4:
            length, head = data[begin + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[begin + 2 : begin + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(data[begin + 2 : begin + 10], "big"), 10
            end = begin + head + length
            if end > len(data):
                break
            yield data[begin], data[begin + head : end]
            begin = end
        self._unread = data[begin:]

    def _send(self, first: int, payload: bytes) -> None:
        # Clients mask; a mask of zeros leaves the payload as it is.
        self._socket.sendall(bytes((first, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
