"""What the machines and the workers are doing, as the ``system`` scope and the API tell it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import Any, cast

from django.db.models import Count
from django.utils import timezone

from synthesis.jobs.estimate import ALIVE_WITHIN_S
from synthesis.models import Job, QueueState, WorkerState
from synthesis.monitor import machine, outlook
from synthesis.monitor.machine import Machine
from synthesis.monitor.past import past
from synthesis.vocabulary import Status


def read() -> dict[str, Any]:
    """The gauges: shares from 0 to 1, memory in bytes. Three queries, under 10 ms.

    ``hosts`` is this machine and every other one that a live worker runs on; ``gpus`` are those of all of them.
    """
    alive = _alive()
    here, *others = hosts = _hosts(alive)
    able = sum(worker.state not in WorkerState.UNABLE for worker in alive)
    found = outlook.warnings(hosts, past.memory(), able)
    return {
        "at": round(time.time(), 3),
        "cpu": here["cpu"],
        "memory": here["memory"],
        "disk": here["disk"],
        "gpus": [{**gpu, "host": host["name"]} for host in (here, *others) for gpu in host["gpus"]],
        "hosts": hosts,
        "workers": [_worker(row) for row in alive],
        "queue": queue(able),
        "warnings": list(dict.fromkeys(warning["code"] for warning in found)),
        "details": found,
    }


def warnings() -> list[outlook.Warning]:
    """What somebody should know before they submit, as of the last second. No query: it goes out with every queue."""
    last = past.last()
    return last.warnings if last else []


def queue(able_workers: int) -> dict[str, Any]:
    """How many jobs wait and run, and who has paused it."""
    counts = Job.objects.filter(status__in=(Status.QUEUED, Status.RUNNING)).order_by().values_list("status")
    by_status = dict(counts.annotate(Count("pk")))
    pause = QueueState.objects.paused().select_related("paused_by").first()
    return {
        "queued": by_status.get(Status.QUEUED, 0),
        "running": by_status.get(Status.RUNNING, 0),
        "workers": able_workers,
        "paused": pause is not None,
        "paused_by": pause.by if pause else "",
    }


def _alive() -> list[WorkerState]:
    """Workers that were heard of lately."""
    since = timezone.now() - datetime.timedelta(seconds=ALIVE_WITHIN_S)
    return list(WorkerState.objects.filter(heartbeat_at__gte=since))


def _hosts(alive: Sequence[WorkerState]) -> list[Machine]:
    """This machine first, then those of workers elsewhere, each as its latest worker reported it."""
    here = machine.read()
    reported: dict[str, Machine] = {}
    for row in alive:
        if row.machine and (row.host not in reported or row.machine["at"] > reported[row.host]["at"]):
            reported[row.host] = cast("Machine", {**row.machine, "name": row.host})
    mine = reported.pop(here["name"], None)
    if mine and not here["gpus"]:
        # A web server in a container of its own may see no GPU where its workers do.
        here = {**here, "gpus": mine["gpus"]}
    return [here, *(reported[name] for name in sorted(reported))]


def _worker(row: WorkerState) -> dict[str, Any]:
    return {
        "name": row.name,
        "host": row.host,
        "pid": row.pid,
        "engine": row.engine,
        "device": row.device,
        "state": row.state,
        "job": row.job_id or None,
        "memory": row.memory_bytes,
        "loaded": row.loaded,
        "message": row.message,
        "order": row.order,
        "heartbeat_at": round(row.heartbeat_at.timestamp(), 3),
    }
