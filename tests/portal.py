"""A whole portal as a user starts it: Redis, web server, worker and supervisor as real processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import IO

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a long enough password"
START_WITHIN_S = 120.0


@cache
def _prepared() -> tempfile.TemporaryDirectory[str]:
    """A data directory as ``prepare`` leaves it: seconds of work, so it is done once for all portals of a test run."""
    directory = tempfile.TemporaryDirectory(prefix="cosyweb-prepared-")
    Portal(Path(directory.name)).manage("prepare", timeout_s=180.0)
    return directory


class Portal:
    """Started by ``start``; everything it makes is in ``data_dir``."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket_url = f"ws://127.0.0.1:{self.port}/ws/"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "COSYWEB_DATA_DIR": str(data_dir),
            "COSYWEB_PORT": str(self.port),
            "COSYWEB_ADMIN_PASSWORD": PASSWORD,
            **environment,
        }
        self.output = data_dir.parent / f"{data_dir.name}-output.txt"
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def prepare(self) -> None:
        """As ``manage.py prepare`` does at the first start."""
        if not (self.data_dir / "cosyweb.sqlite3").exists():
            shutil.copytree(_prepared().name, self.data_dir, dirs_exist_ok=True)

    def start(self) -> None:
        """Return when the welcome job has been made and the portal serves."""
        self.prepare()
        self._log = self.output.open("wb")
        self._supervisor = subprocess.Popen(
            [sys.executable, "manage.py", "launch"],
            cwd=ROOT,
            env=self.environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.wait_until(lambda: "Ctrl-C stops everything" in self.output.read_text(), START_WITHIN_S)

    def stop(self) -> None:
        """As Ctrl-C does; returns when every process has ended."""
        if self._supervisor is not None:
            self._supervisor.send_signal(signal.SIGINT)
            self._supervisor.wait(40)
        self._close_log()

    def kill(self) -> None:
        """As a power cut does: every process at once, by its own id."""
        processes = [psutil.Process(self._running().pid), *self.children()]
        for process in processes:
            process.kill()
        self._running().wait()
        psutil.wait_procs(processes, timeout=10)
        self._close_log()

    def children(self, word: str = "") -> list[psutil.Process]:
        """Processes that the supervisor started and whose command line has ``word``: redis-server, serve, worker."""
        found = []
        for process in psutil.Process(self._running().pid).children():
            try:
                if not word or any(Path(part).name == word for part in process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue  # it has just ended
        return found

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._supervisor is None:
            raise RuntimeError("the portal was not started")
        return self._supervisor

    def manage(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run a management command; its standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"manage.py {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def client(self, user: str = "admin", **more: str) -> httpx.Client:
        """An API client with a fresh key."""
        key = self.manage("createapikey", user).strip()
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {key}", "Accept-Language": "en", **more}, timeout=30
        )

    def wait_until(self, condition: object, within_s: float) -> None:
        """Return when ``condition()`` holds; fail with the logs if it does not in time or the portal has died."""
        if not callable(condition):
            raise TypeError("a condition is called")
        deadline = time.monotonic() + within_s
        while not condition():
            died = self._supervisor is not None and self._supervisor.poll() is not None
            if died or time.monotonic() > deadline:
                raise RuntimeError(f"{'The portal died' if died else 'Too slow'}:\n{self.logs()}")
            time.sleep(0.05)  # between two looks at a real process; the deadline bounds it

    def logs(self) -> str:
        """The ends of all logs."""
        files = [self.output, *sorted(self.data_dir.glob("logs/*.log"))]
        return "\n".join(f"== {file.name}\n{file.read_text()[-4000:]}" for file in files if file.exists())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
