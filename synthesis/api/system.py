"""What the machine, the workers and the queue are doing."""

from __future__ import annotations

from ninja import Field, Router, Schema

from synthesis.accounts.address import address_of
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.jobs import intake
from synthesis.monitor import gauges

router = Router(tags=["system"])


class Memory(Schema):
    used: int
    total: int


class Gpu(Schema):
    name: str
    memory_used: int
    memory_total: int


class Worker(Schema):
    name: str
    host: str
    pid: int
    engine: str
    device: str
    state: str = Field(examples=["idle", "busy"])
    job: str | None
    memory: int
    heartbeat_at: float


class Queue(Schema):
    queued: int
    running: int
    workers: int
    paused: bool = Field(description="Workers take no new job; running ones go on, new ones are accepted.")
    paused_by: str = Field(description="Name of the administrator who paused it; empty: it is not paused.")


class QueueCommand(Schema):
    """What to do with the queue."""

    paused: bool


class SystemAnswer(Schema):
    """The same as the socket's ``system`` scope. Memory in bytes."""

    at: float = Field(description="Unix seconds.")
    cpu: float = Field(description="Share of all cores, 0 to 1.")
    memory: Memory
    gpus: list[Gpu]
    workers: list[Worker] = Field(description="Those heard of lately.")
    queue: Queue
    warnings: list[str] = Field(examples=[["memory_low"]])


@router.get("", response=answers({200: SystemAnswer}), summary="Gauges, workers, queue", url_name="system")
def system(request: ApiRequest) -> SystemAnswer:
    return SystemAnswer.model_validate(gauges.read())


@router.post(
    "/queue",
    response=answers({200: Queue}, 400, 403, 422, 429),
    throttle=[PerUser("queue", 60)],
    summary="Pause or resume the queue",
    url_name="queue",
)
def pause_or_resume(request: ApiRequest, body: QueueCommand) -> Queue:
    """For administrators."""
    order = intake.pause if body.paused else intake.resume
    order(by=request.auth, address=address_of(request))
    return Queue.model_validate(gauges.queue())
