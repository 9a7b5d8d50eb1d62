"""The worker process: one engine, loaded once and kept, and the state that its threads share."""

from __future__ import annotations

import logging
import os
import socket
import threading
from pathlib import Path

import psutil
from django.conf import settings
from django.utils import timezone

from synthesis.engines import catalogue
from synthesis.engines.base import Engine
from synthesis.jobs import lifecycle, liveness
from synthesis.jobs.lifecycle import Claim
from synthesis.models import WorkerState
from synthesis.worker.performance import Performance

logger = logging.getLogger(__name__)


class Runtime:
    """Made once per process, by the ``worker`` command."""

    def __init__(self, number: int) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{number}"
        self.claim: Claim | None = None
        self._stopping = threading.Event()
        self._engine: Engine | None = None
        self._process = psutil.Process()
        self._started_at = timezone.now()

    def load(self) -> None:
        """Load the engine (seconds to minutes)."""
        self.say(WorkerState.State.STARTING)
        model_dir = Path(settings.COSYVOICE_MODEL_DIR) if settings.COSYVOICE_MODEL_DIR else None
        self._engine = catalogue.load_engine(
            settings.ENGINE, cache_dir=settings.CACHE_DIR / "features", model_dir=model_dir
        )
        self.say(WorkerState.State.IDLE)

    def take_turn(self) -> None:
        """Do the job whose turn it is, if any waits."""
        if self._engine is None:
            raise RuntimeError("the engine is not loaded")
        if self._stopping.is_set():
            return
        self.claim = lifecycle.claim_next(self.name)
        if self.claim is None:
            return
        try:
            self.say(WorkerState.State.BUSY)
            Performance(self.claim, self._engine, self._stopping.is_set).run()
        finally:
            self.claim = None
            self.say(WorkerState.State.STOPPING if self._stopping.is_set() else WorkerState.State.IDLE)

    def stop(self) -> None:
        """Hand the job at hand back and take no other. Safe in a signal handler."""
        self._stopping.set()

    def say(self, state: WorkerState.State | None = None) -> None:
        """Tell the portal that this worker lives, and in which state if it changed."""
        now = timezone.now()
        changes = {
            "heartbeat_at": now,
            "memory_bytes": self._process.memory_info().rss,
            "job_id": self.claim.job_id if self.claim else "",
        }
        if state is not None:
            changes["state"] = state
        if WorkerState.objects.filter(pk=self.name).update(**changes):
            return
        WorkerState.objects.create(
            pk=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            engine=settings.ENGINE,
            started_at=self._started_at,
            **{"state": WorkerState.State.STARTING, **changes},
        )

    def describe_engine(self) -> None:
        """Tell the portal what the loaded engine runs on."""
        if self._engine is None:
            return
        device = self._engine.fingerprint().device
        WorkerState.objects.filter(pk=self.name).update(device=device, clones=self._engine.clones)

    def leave(self) -> None:
        """Take this worker off the list."""
        WorkerState.objects.filter(pk=self.name).delete()
        liveness.forget(self.name)


_current: list[Runtime] = []


def install(runtime: Runtime) -> None:
    """Make it the one of this process."""
    _current[:] = [runtime]


def current() -> Runtime:
    if not _current:
        raise RuntimeError("this process is no worker")
    return _current[0]
