"""What the web server bears: bodies too large, readers too slow, parts that are away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import websockets

from tests.portal import ROOT, Portal

MIB = 1024 * 1024


def web_process(portal: Portal) -> psutil.Process:
    for process in psutil.process_iter(["cmdline", "environ"]):
        command = process.info["cmdline"] or []
        environment = process.info["environ"] or {}
        if "serve" in command and environment.get("COSYWEB_DATA_DIR") == str(portal.data_dir):
            return process
    raise AssertionError("the web server does not run")


def send_body(portal: Portal, head: str, chunks: Iterator[bytes]) -> tuple[bytes, int]:
    """The server's answer and how much it let us send."""
    sent = 0
    with socket.create_connection(("127.0.0.1", portal.port), 30) as connection:
        connection.sendall(head.encode())
        try:
            for chunk in chunks:
                connection.sendall(chunk)
                sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while it was being sent: as it should be
        try:
            answer = connection.recv(65536)
        except ConnectionResetError:
            answer = b""
    return answer, sent


def test_a_declared_200_mb_body_is_refused_before_it_is_sent(portal: Portal) -> None:
    before = web_process(portal).memory_info().rss
    head = (
        "POST /api/v1/voices HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: zh-CN\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {200 * MIB}\r\n\r\n"
    )
    answer, _sent = send_body(portal, head, iter(()))
    assert answer.startswith(b"HTTP/1.1 413 ")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["code"] == "too_large"
    assert "10 MiB" in error["fields"]["audio"]
    assert "文件" in error["message"]
    assert web_process(portal).memory_info().rss - before < 20 * MIB


def test_an_undeclared_200_mb_body_is_refused_while_it_is_sent(portal: Portal) -> None:
    before = web_process(portal).memory_info().rss
    head = "POST /api/v1/voices HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = f"{MIB:x}\r\n".encode() + bytes(MIB) + b"\r\n"
    _answer, sent = send_body(portal, head, (chunk for _ in range(200)))
    assert sent < 40 * MIB
    assert web_process(portal).memory_info().rss - before < 200 * MIB
    with socket.create_connection(("127.0.0.1", portal.port), 5):
        pass  # it still answers


async def test_a_reader_that_stops_reading_is_closed_and_the_others_are_served(portal: Portal) -> None:
    key = (await asyncio.to_thread(portal.manage, "createapikey", "admin")).strip()
    headers = {"Authorization": f"Bearer {key}"}
    reader, writer = await asyncio.open_connection("127.0.0.1", portal.port, limit=1024)
    request = (
        f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    )
    writer.write(request.encode())
    await reader.readuntil(b"\r\n\r\n")
    # The same long answer asked for again and again, and never read.
    message = json.dumps({"task": "subscribe", "scope": "portal"}).encode()
    frame = bytes([0x81, 0x80 | len(message)]) + bytes(4) + message
    closed = False
    deadline = time.monotonic() + 60
    while not closed and time.monotonic() < deadline:
        writer.write(frame * 20)
        try:
            await asyncio.wait_for(writer.drain(), 5)
        except (ConnectionError, TimeoutError):
            closed = True
        async with websockets.connect(portal.socket_url, additional_headers=headers) as other:
            await other.send('{"task":"ping"}')
            assert json.loads(await asyncio.wait_for(other.recv(), 10))["status"] == "pong"
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert closed
    assert web_process(portal).memory_info().rss < 400 * MIB


def test_the_web_process_does_not_import_torch() -> None:
    code = (
        "import sys, cosyweb.asgi, cosyweb.server, cosyweb.urls\n"
        "print([m for m in ('torch', 'torchaudio', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_engines_audio_and_text_need_no_django() -> None:
    code = (
        "import sys, synthesis.audio.decode, synthesis.audio.encode, synthesis.text.segment\n"
        "import synthesis.engines.catalogue, synthesis.engines.embedded.engine\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'redis', 'rq', 'channels')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
