"""RQ's in-process worker, with what it lacks for long jobs with a resident model.

The stock SimpleWorker keeps the model loaded but neither beats while a job runs nor can be asked to
stop one, and it quits when Redis is away. Here the truth about a job (who has it, until when) is our row
and its lease, not RQ's bookkeeping: RQ's own retries are off, and a ticket that RQ loses or doubles does no
harm. So all that is left to add is a heartbeat of the RQ worker itself, a stop signal that reaches the
engine, and patience with Redis, since loading a model again may take minutes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested

from synthesis.worker.runtime import Runtime

HEARTBEAT_S = 10
"""Of RQ's own records, which only its admin pages read."""
LOOK_EVERY_S = 1
"""How often an idle worker looks whether it is to leave."""
TRY_REDIS_EVERY_S = 1.0


class SynthesisWorker(SimpleWorker):
    """One engine, and one job at a time of those that come with a ticket (others: worker/companion.py)."""

    runtime: Runtime
    max_connection_wait_time = 2.0
    """Between two tries to reach Redis; RQ's own minute would be a minute in which nothing is synthesised."""

    _has_ticket = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """First signal: the engine stops at its next look, the job goes back to the queue, the worker ends."""
        self.runtime.stop()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # rq leaves its parameters untyped

    def _shutdown(self) -> None:
        """RQ's own asks Redis, in the middle of whatever the signal has interrupted."""
        self._stop_requested = True
        if not self._has_ticket:
            raise StopRequested

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """Wait until Redis is there."""
        while not self._try(super().bootstrap, *args, **kwargs):
            time.sleep(TRY_REDIS_EVERY_S)

    def execute_job(self, job: Any, queue: Any) -> None:
        self._has_ticket = True
        try:
            self._try(super().execute_job, job, queue)
        finally:
            self._has_ticket = False

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """The next ticket; None, which ends the worker, once it is to leave.

        RQ's own waits without looking, and does not wait for a Redis that refuses (its disk may be full).
        """
        while not self.runtime.leaving:
            try:
                found = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time=LOOK_EVERY_S)
            except RedisError as problem:
                self.log.warning("No tickets for now: %s", problem)
                time.sleep(TRY_REDIS_EVERY_S)
                continue
            if found is not None:
                return found
        return None

    def teardown(self) -> None:
        self._try(super().teardown)

    def check_for_suspension(self, burst: bool) -> None:
        self._try(super().check_for_suspension, burst)

    def run_maintenance_tasks(self) -> None:
        self._try(super().run_maintenance_tasks)

    def set_state(self, state: str, pipeline: Any = None) -> None:
        self._try(super().set_state, state, pipeline)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        self._try(super().heartbeat, timeout, pipeline)

    def _try(self, step: Callable[..., object], *args: Any, **kwargs: Any) -> bool:
        """Do a step of RQ's bookkeeping; nothing of ours rests on it, so Redis may be away."""
        try:
            step(*args, **kwargs)
        except RedisError as problem:
            self.log.warning("RQ could not keep its books: %s", problem)
            return False
        return True

    def get_heartbeat_ttl(self, job: Any, working_time: float = 0.0) -> int:
        return 3 * HEARTBEAT_S

    def perform_job(self, job: Any, queue: Any, execution: Any) -> bool:
        ended = threading.Event()
        beating = threading.Thread(target=self._beat, args=(job, execution, ended), name="rq-heartbeat", daemon=True)
        beating.start()
        try:
            return bool(super().perform_job(job, queue, execution))
        finally:
            ended.set()
            beating.join()

    def _beat(self, job: Any, execution: Any, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_S):
            self._try(self.maintain_heartbeats, job, execution)
