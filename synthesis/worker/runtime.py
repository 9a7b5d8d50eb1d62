"""The worker process: one engine, loaded once and kept, and the state that its threads share."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.utils import timezone

from synthesis.accounts import audit
from synthesis.engines import catalogue
from synthesis.engines.base import Engine
from synthesis.jobs import lifecycle, liveness
from synthesis.jobs.lifecycle import Claim, LeaseLost
from synthesis.models import WorkerState
from synthesis.monitor import machine
from synthesis.vocabulary import Level
from synthesis.worker import memory
from synthesis.worker.journal import Journal
from synthesis.worker.memory import Footprint
from synthesis.worker.performance import Performance

logger = logging.getLogger(__name__)

State = WorkerState.State
Order = WorkerState.Order


class Runtime:
    """Made once per process, by the ``worker`` command."""

    def __init__(self, number: int) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{number}"
        self.claims: list[Claim] = []
        """Of the jobs at hand: more than one only with an engine that works on several together."""
        self._number = number
        self._stopping = threading.Event()
        """Drop everything at once."""
        self._leaving = threading.Event()
        """End at the next border: of two segments, or of two jobs."""
        self._gate = threading.Lock()
        """Whoever begins or ends a job passes it; who has it while no job is at hand may load or unload."""
        self._engine: Engine | None = None
        self._state = State.STARTING
        self._unload_asked = False
        self._idle_since = time.monotonic()
        self._first: Footprint | None = None
        self._process = psutil.Process()
        self._started_at = timezone.now()

    def ready(self) -> bool:
        """Have the engine loaded, trying for as long as it takes; false if this worker is to leave instead."""
        with self._gate:
            while not self._leaving.is_set():
                if self._engine is not None or self._load():
                    return True
                self._leaving.wait(settings.RELOAD_EVERY_S)
        return False

    def take_turn(self) -> None:
        """Do the job whose turn it is, if any waits."""
        if self._state is State.FAILED and not self.ready():
            return
        claim = self._begin()
        if claim is None:
            return
        try:
            self._perform(claim)
        finally:
            self._end(claim)

    def take_turn_beside(self) -> bool:
        """As ``take_turn``, while another thread does; false if there was nothing to do, or the engine has no room."""
        if self._engine is None or self.room == 0:
            return False
        claim = self._begin()
        if claim is None:
            return False
        try:
            self._perform(claim)
        finally:
            self._end(claim)
        return True

    @property
    def room(self) -> int:
        """How many more jobs the engine would work on at the same time."""
        return 0 if self._engine is None else self._engine.at_once - len(self.claims)

    def stop(self) -> None:
        """Hand the job at hand back and take no other. Safe in a signal handler."""
        self._stopping.set()
        self._leaving.set()

    def wait_to_leave(self, seconds: float) -> None:
        """Return after so long, or as soon as this worker is to leave."""
        self._leaving.wait(seconds)

    @property
    def leaving(self) -> bool:
        """Whether this worker takes no more jobs."""
        return self._leaving.is_set()

    def hear(self) -> None:
        """Look for an order, and for idleness that has lasted long enough."""
        order = WorkerState.objects.filter(pk=self.name).values_list("order", flat=True).first()
        if order and WorkerState.objects.filter(pk=self.name, order=order).update(order=""):
            logger.info("An administrator ordered: %s.", order)
            if order == Order.RESTART:
                self.say(State.DRAINING)
                self._leaving.set()
            else:
                self._unload_asked = True
        idle_s = time.monotonic() - self._idle_since
        if self._unload_asked or (settings.UNLOAD_AFTER_S and idle_s > settings.UNLOAD_AFTER_S):
            self._unload_if_idle()

    def say(self, state: WorkerState.State | None = None, **more: Any) -> None:
        """Tell the portal that this worker lives, and in which state if it changed."""
        changes = {
            "heartbeat_at": timezone.now(),
            "memory_bytes": self._process.memory_info().rss,
            "machine": machine.read(),
            "job_id": self.claims[0].job_id if self.claims else "",
            **more,
        }
        if state is not None:
            self._state = changes["state"] = state
        if WorkerState.objects.filter(pk=self.name).update(**changes):
            return
        WorkerState.objects.create(
            pk=self.name,
            number=self._number,
            host=socket.gethostname(),
            pid=os.getpid(),
            engine=settings.ENGINE,
            started_at=self._started_at,
            **{"state": self._state, **changes},
        )

    def succeed(self) -> None:
        """Take the place of the one that was this worker before: killed, or ended to be started afresh."""
        before = WorkerState.objects.filter(host=socket.gethostname(), number=self._number)
        dead = [row.pk for row in before if not psutil.pid_exists(row.pid)]
        self.say(State.STARTING, order="", message="")
        WorkerState.objects.filter(pk__in=dead).delete()

    def leave(self) -> None:
        """Take this worker off the list, unless the supervisor is about to start it afresh."""
        if self._stopping.is_set() or not self._leaving.is_set():
            WorkerState.objects.filter(pk=self.name).delete()
        else:
            self.say(State.RECYCLING if self._state is State.RECYCLING else State.STARTING, loaded=False)
        liveness.forget(self.name)

    def _load(self) -> bool:
        """Load the engine (seconds to minutes); false if that failed, and then the portal knows why."""
        if self._state is not State.FAILED:
            self.say(State.STARTING)
        model_dir = Path(settings.COSYVOICE_MODEL_DIR) if settings.COSYVOICE_MODEL_DIR else None
        try:
            engine = catalogue.load_engine(
                settings.ENGINE,
                cache_dir=settings.CACHE_DIR / "features",
                model_dir=model_dir,
                **settings.ENGINE_CHOICES,
            )
        except Exception as problem:  # a loader may raise anything; the worker stays up and says what
            logger.exception("The engine cannot be loaded; it is tried again in %s s.", settings.RELOAD_EVERY_S)
            memory.give_back()  # what was loaded before the bad file
            self.say(State.FAILED, loaded=False, message=str(problem) or type(problem).__name__)
            return False
        self._engine = engine
        self._unload_asked = False
        self._idle_since = time.monotonic()
        state = State.BUSY if self.claims else State.IDLE
        self.say(state, loaded=True, message="", device=engine.fingerprint().device, clones=engine.clones)
        return True

    def _begin(self) -> Claim | None:
        """The next job, unless this worker is to leave or none waits."""
        with self._gate:
            if self._leaving.is_set():
                return None
            claim = lifecycle.claim_next(self.name)
            if claim is not None:
                self.claims = [*self.claims, claim]
            return claim

    def _end(self, claim: Claim) -> None:
        with self._gate:
            self.claims = [one for one in self.claims if one is not claim]
            if self.claims:
                self.say()
            else:
                self._after_job()

    def _perform(self, claim: Claim) -> None:
        self.say(State.BUSY)
        if self._engine is None and not self._load_for(claim):
            return
        if self._engine is not None:
            Performance(claim, self._engine, self._stopping.is_set, self._asked_to_leave).run()

    def _load_for(self, claim: Claim) -> bool:
        """Load the engine that was unloaded; if that fails, the job goes back for another worker, or for later."""
        try:
            journal = Journal(claim)
            journal.log(Level.INFO, code="engine_loading")
            journal.flush()
            if self._load():
                return True
            lifecycle.hand_back(claim)
        except LeaseLost:
            logger.warning("Job %s went to another worker while the engine was loading.", claim.job_id)
        return False

    def _asked_to_leave(self) -> bool:
        """At a border of two segments: an order must not wait for the next heartbeat."""
        self.hear()
        return self._leaving.is_set()

    def _after_job(self) -> None:
        self._idle_since = time.monotonic()
        if self._stopping.is_set():
            self.say(State.STOPPING)
        elif self._state is State.FAILED:
            self.say()
        elif self._leaving.is_set():
            self.say(State.DRAINING)
        elif self._outgrown():
            self.say(State.RECYCLING)
            self._leaving.set()
        elif self._unload_asked:
            self._unload()
        else:
            self.say(State.IDLE)

    def _outgrown(self) -> bool:
        """Whether this process has grown too much since its first job: something leaks."""
        now = memory.footprint(self._engine)
        if self._first is None:
            memory.give_back()
            self._first = memory.footprint(self._engine)
            return False
        if memory.outgrown(self._first, now, settings.WORKER_MAX_GROWTH_MB) is None:
            return False
        # It may be only what was kept to be faster, or freed memory.
        if self._engine is not None:
            self._engine.release()
        memory.give_back()
        grown = memory.outgrown(self._first, memory.footprint(self._engine), settings.WORKER_MAX_GROWTH_MB)
        if grown is None:
            return False
        grown_mb = grown // memory.MIB
        logger.warning("Grown by %s MB since the first job: this worker ends, to be started afresh.", grown_mb)
        row = WorkerState(pk=self.name)
        detail = {"grown_mb": grown_mb, "limit_mb": settings.WORKER_MAX_GROWTH_MB}
        audit.record("worker.recycle", actor=None, actor_name=self.name, address=None, target=row, detail=detail)
        return True

    def _unload_if_idle(self) -> None:
        if self._gate.acquire(blocking=False):
            try:
                if not self.claims:  # else the end of the last job sees to it
                    self._unload()
            finally:
                self._gate.release()

    def _unload(self) -> None:
        """Free the engine's memory; the next job loads it again."""
        self._unload_asked = False
        if self._engine is None:
            return
        self._engine.close()
        self._engine = None
        memory.give_back()
        self.say(State.UNLOADED, loaded=False)


_current: list[Runtime] = []


def install(runtime: Runtime) -> None:
    """Make it the one of this process."""
    _current[:] = [runtime]


def current() -> Runtime:
    if not _current:
        raise RuntimeError("this process is no worker")
    return _current[0]
