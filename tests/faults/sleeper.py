"""A browser in a process of its own, which can be frozen as a laptop's lid freezes it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import psutil

from tests.faults.scene import Scene
from tests.portal import ROOT


class Sleeper:
    """Follows a job, falls asleep in the middle of it, and wakes up when the test says so."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.job_id = ""
        self.asleep_at = 0.0
        self.web_bytes = 0
        self._process: subprocess.Popen[str] | None = None

    def fall_asleep(self) -> None:
        self.job_id = self._scene.submit()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sleeper", self._scene.portal.socket_url, self._scene.key, self.job_id],
            cwd=ROOT,
            env={**os.environ, "COSYWEB_DATA_DIR": str(self._scene.portal.data_dir)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._scene.wait_until(lambda: self.connected() and self._scene.finished(self.job_id), 60.0)
        os.kill(self._process.pid, signal.SIGSTOP)
        self.asleep_at = time.monotonic()
        self.web_bytes = self._scene.web().memory_info().rss

    def connected(self) -> bool:
        """The server's end of this browser's connection is still there."""
        theirs = psutil.Process(self._pid()).net_connections("tcp")
        ours = {connection.raddr for connection in self._scene.web().net_connections("tcp") if connection.raddr}
        return any(connection.laddr in ours for connection in theirs)

    def wake_up(self) -> None:
        os.kill(self._pid(), signal.SIGCONT)

    def transcript(self, within_s: float) -> dict[str, Any]:
        """What the browser saw in all, once its job has ended for it too."""
        if self._process is None:
            raise RuntimeError("it never fell asleep")
        output, _errors = self._process.communicate(timeout=within_s)
        seen: dict[str, Any] = json.loads(output)
        return seen

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def _pid(self) -> int:
        if self._process is None:
            raise RuntimeError("it never fell asleep")
        return self._process.pid


def main(url: str, key: str, job_id: str) -> None:
    from tests.faults.browser import Browser

    browser = Browser(url, key, job_id)
    asyncio.run(browser.follow())
    sys.stdout.write(json.dumps({"seqs": browser.seqs, "connections": browser.connections}))


if __name__ == "__main__":
    main(*sys.argv[1:])
