"""What the web server bears, and what its process and the engines do not import."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil

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
