"""What the machines, the workers and the queue are doing, and what administrators may order the workers."""

from __future__ import annotations

from typing import Literal

from ninja import Field, Router, Schema, Status

from synthesis.accounts.address import address_of
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.jobs import estimate, intake
from synthesis.models import WorkerState
from synthesis.monitor import gauges, orders

router = Router(tags=["system"])


class Space(Schema):
    """Bytes."""

    used: int
    total: int


class Gpu(Schema):
    name: str
    memory_used: int
    memory_total: int
    load: float | None = Field(description="0 to 1; null where the driver does not tell it.")


class GpuOfHost(Gpu):
    host: str


class Host(Schema):
    name: str
    at: float = Field(description="When it was read, Unix seconds.")
    cpu: float
    cores: int = 1
    memory: Space
    disk: Space
    gpus: list[Gpu]


class Worker(Schema):
    name: str
    host: str
    pid: int
    engine: str
    device: str
    state: str = Field(examples=[state.value for state in WorkerState.State])
    job: str | None
    memory: int
    loaded: bool = Field(description="Whether its model is in memory.")
    message: str = Field(description="Why it cannot work, in the engine's words; empty if it can.")
    order: str = Field(description="What an administrator ordered and it has not heard yet.")
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


class Warning(Schema):  # noqa: A001 it is what the protocol calls it
    code: str = Field(examples=["memory_rising"])
    host: str | None = Field(description="Which machine.")
    gpu: str | None = Field(description="Which GPU of it: its number and name.")
    minutes: int | None = Field(description="At this rate it is full in about so long.")


class SystemAnswer(Schema):
    """The same as the socket's ``system`` scope. Memory in bytes."""

    at: float = Field(description="Unix seconds.")
    cpu: float = Field(description="Share of all cores, 0 to 1.")
    memory: Space
    disk: Space = Field(description="Of the data directory.")
    gpus: list[GpuOfHost] = Field(description="Of every host.")
    hosts: list[Host] = Field(description="The web server's machine first, then others that workers run on.")
    workers: list[Worker] = Field(description="Those heard of lately.")
    queue: Queue
    warnings: list[str] = Field(examples=[["memory_low"]])
    details: list[Warning] = Field(description="The warnings with their values.")


class WorkersOrder(Schema):
    command: Literal["restart", "unload"] = Field(
        description="`restart`: finish the segment at hand, end, start afresh. `unload`: free the model's memory."
    )
    name: str | None = Field(default=None, max_length=120, description="One worker; all of them without it.")


class OrderedAnswer(Schema):
    ordered: list[str] = Field(description="Names of the workers that were told; each hears it within seconds.")


@router.get("", response=answers({200: SystemAnswer}), summary="Gauges, workers, queue", url_name="system")
def system(request: ApiRequest) -> SystemAnswer:
    return SystemAnswer.model_validate(gauges.read())


@router.post(
    "/workers",
    response=answers({202: OrderedAnswer}, 400, 403, 404, 422, 429),
    throttle=[PerUser("workers", 60)],
    summary="Restart workers or free their memory",
    url_name="workers",
)
def order_workers(request: ApiRequest, body: WorkersOrder) -> Status[OrderedAnswer]:
    """For administrators. Nothing is lost: a job that is being made continues after its last finished segment."""
    order = WorkerState.Order(body.command)
    told = orders.give(order, body.name, by=request.auth, address=address_of(request))
    return Status(202, OrderedAnswer(ordered=told))


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
    return Queue.model_validate(gauges.queue(estimate.live_workers()))
