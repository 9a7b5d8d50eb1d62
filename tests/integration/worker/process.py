"""A real worker process on the test's own database, Redis and files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

from synthesis.models import WorkerState
from tests.portal import ROOT

WITHIN_S = 60.0


class WorkerProcess:
    """``start`` runs ``manage.py worker`` as the supervisor does; ``end`` makes sure that it is gone."""

    def __init__(self, log: Path, **environment: str) -> None:
        self._log = log
        self._environment = {**os.environ, "DATABASE_URL": _database_url(), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def start(self) -> int:
        """Return its process id once it can take jobs. Again after it ended, as the supervisor does."""
        self._close()
        self._output = self._log.open("ab")
        command = [sys.executable, "manage.py", "worker"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=self._output, stderr=subprocess.STDOUT
        )
        pid = self._process.pid
        self.until(lambda: self.row().loaded)
        return pid

    def row(self) -> WorkerState:
        """What it says of itself; an unsaved row while it has said nothing."""
        pid = self._process.pid if self._process else 0
        return WorkerState.objects.filter(pid=pid).first() or WorkerState(pid=pid)

    def resident_bytes(self) -> int:
        return int(psutil.Process(self._process.pid if self._process else None).memory_info().rss)

    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def exit_status(self) -> int | None:
        return self._process.poll() if self._process else None

    def until(self, condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """Return when the condition holds; fail with the log if it does not in time."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Too slow:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.05)  # between two looks at a real process; the deadline bounds it

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
        self._close()

    def _close(self) -> None:
        if self._output is not None:
            self._output.close()


def _database_url() -> str:
    """Of the database that the tests use, not of the one they are made beside."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(settings.ENVIRONMENT.database_url)._replace(path=f"/{name}").geturl()
