"""A Redis and a web server of their own in a scratch directory, without workers."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_SETUP = """
from synthesis.models import User, Voice
User.objects.create_superuser("admin", password="bench password")
Voice.objects.create(
    id="bench", name="Bench", origin="ready_made", path="none", sha256="0", duration_s=1, source_sample_rate_hz=24000
)
"""


@dataclass(frozen=True, slots=True)
class ScratchPortal:
    environment: dict[str, str]
    port: int
    web_pid: int = 0
    redis_pid: int = 0

    def manage(self, *command: str, code: str = "") -> list[str]:
        """Run a management command; its lines."""
        words = [sys.executable, "manage.py", *command]
        done = subprocess.run(  # noqa: S603 our own commands
            words, cwd=ROOT, env=self.environment, input=code, text=True, capture_output=True, check=True
        )
        return done.stdout.splitlines()

    def start(self, code: str) -> subprocess.Popen[str]:
        """Python code within the portal's settings, in a process one talks to."""
        words = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        return subprocess.Popen(  # noqa: S603 our own code
            words, cwd=ROOT, env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )


@contextlib.contextmanager
def running(directory: Path) -> Iterator[ScratchPortal]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "COSYWEB_DATA_DIR": str(directory),
        "COSYWEB_PORT": str(port),
        "COSYWEB_ADMIN_PASSWORD": "bench password",
    }
    setup = ScratchPortal(environment, port)
    for name in ("run", "logs", "media", "cache"):
        (directory / name).mkdir()
    setup.manage("migrate", "--verbosity=0")
    setup.manage("shell", code=_SETUP)
    paths = setup.manage(
        "shell", code="from cosyweb import supervision as s; print('##', s.redis_server(), s.redis_config())"
    )
    server, config = next(line.split()[1:] for line in paths if line.startswith("##"))
    redis = subprocess.Popen([server, config], stdout=subprocess.DEVNULL)  # noqa: S603
    web = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
    try:
        _wait_for_port(port)
        yield ScratchPortal(environment, port, web.pid, redis.pid)
    finally:
        for process in (web, redis):
            process.terminate()
            process.wait(20)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the web server did not start")
