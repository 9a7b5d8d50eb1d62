"""What the machine and the workers are doing, as the ``system`` scope and the API tell it."""

from __future__ import annotations

import datetime
import time
from typing import Any

import psutil
from django.utils import timezone

from synthesis.jobs import board
from synthesis.jobs.estimate import ALIVE_WITHIN_S
from synthesis.models import WorkerState

MEMORY_WARNING_SHARE = 0.9


def read() -> dict[str, Any]:
    """The gauges: shares from 0 to 1, memory in bytes. Takes under 10 ms."""
    memory = psutil.virtual_memory()
    return {
        "at": round(time.time(), 3),
        "cpu": round(psutil.cpu_percent(interval=None) / 100, 3),  # since the last call
        "memory": {"used": memory.total - memory.available, "total": memory.total},
        "gpus": [],
        "workers": workers(),
        "queue": queue(),
        "warnings": ["memory_low"] if memory.percent / 100 > MEMORY_WARNING_SHARE else [],
    }


def workers() -> list[dict[str, Any]]:
    """Workers that were heard of lately."""
    since = timezone.now() - datetime.timedelta(seconds=ALIVE_WITHIN_S)
    return [
        {
            "name": row.name,
            "host": row.host,
            "pid": row.pid,
            "engine": row.engine,
            "device": row.device,
            "state": row.state,
            "job": row.job_id or None,
            "memory": row.memory_bytes,
            "heartbeat_at": round(row.heartbeat_at.timestamp(), 3),
        }
        for row in WorkerState.objects.filter(heartbeat_at__gte=since)
    ]


def queue() -> dict[str, Any]:
    now = board.read()
    return {
        "queued": now.queued,
        "running": now.running,
        "workers": now.workers,
        "paused": now.paused,
        "paused_by": now.paused_by,
    }
