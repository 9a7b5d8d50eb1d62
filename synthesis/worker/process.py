"""RQ's in-process worker, with what it lacks for long jobs with a resident model.

The stock SimpleWorker keeps the model loaded but neither beats while a job runs nor can be asked to
stop one. Here the truth about a job (who has it, until when) is our row and its lease, not RQ's
bookkeeping: RQ's own retries are off, and a ticket that RQ loses or doubles does no harm. So all that is
left to add is a heartbeat of the RQ worker itself and a stop signal that reaches the engine.
"""

from __future__ import annotations

import threading
from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import SimpleWorker

from synthesis.worker.runtime import Runtime

HEARTBEAT_S = 10
"""Of RQ's own records, which only its admin pages read."""
LOOK_EVERY_S = 1
"""How often an idle worker looks whether it is to leave."""


class SynthesisWorker(SimpleWorker):
    """One engine, one job at a time, in this process."""

    runtime: Runtime

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """First signal: the engine stops at its next look, the job goes back to the queue, the worker ends."""
        self.runtime.stop()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # rq leaves its parameters untyped

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """The next ticket; None, which ends the worker, once it is to leave. The stock one waits without looking."""
        while not self.runtime.leaving:
            found = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time=LOOK_EVERY_S)
            if found is not None:
                return found
        return None

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
            try:
                self.maintain_heartbeats(job, execution)
            except RedisError as problem:
                self.log.warning("No RQ heartbeat this time: %s", problem)
