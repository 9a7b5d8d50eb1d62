"""What clients of the socket ask, answered from the domain. Runs in threads, in the reader's language."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from synthesis.errors import InvalidInput, NotFound
from synthesis.events import wire
from synthesis.events.wire import PortalLine
from synthesis.jobs import board, lifecycle, spec, steering
from synthesis.jobs.board import Board
from synthesis.models import Job, User
from synthesis.monitor import gauges
from synthesis.realtime.identity import Identity

RECENT_JOBS = 20


def now() -> float:
    return round(time.time(), 3)


def generate(identity: Identity, message: Mapping[str, Any]) -> str:
    """Submit a job; its id."""
    checked = spec.validate(message, user=identity.user)
    return lifecycle.submit(checked, owner=identity.user, address=identity.address).pk


def control(identity: Identity, message: Mapping[str, Any]) -> None:
    steering.ask(
        _job(identity, message),
        message.get("command"),
        message.get("value"),
        redo=message.get("redo"),
        by=identity.user,
        address=identity.address,
    )


def job_to_follow(identity: Identity, message: Mapping[str, Any]) -> tuple[str, int]:
    since = message.get("since", 0)
    if isinstance(since, bool) or not isinstance(since, int) or since < 0:
        problem = _("This must be a whole number from %(low)s to %(high)s.") % {"low": 0, "high": 2**31}
        raise InvalidInput(problem, fields={"since": problem})
    return _job(identity, message).pk, since


def portal_snapshot(identity: Identity, _message: Mapping[str, Any]) -> dict[str, Any]:
    """The newest jobs and all that are still to end, and the queue."""
    jobs = Job.objects.visible_to(identity.user).select_related("voice").order_by("-created_at", "-id")
    newest = list(jobs[:RECENT_JOBS])
    known = {job.pk for job in newest}
    older = [job for job in jobs.active()[: 10 * RECENT_JOBS] if job.pk not in known]
    return {
        "scope": "portal",
        "jobs": [wire.portal_line(job) for job in newest + older],
        "queue": queue_for(board.read(), identity.user),
    }


def portal_lines(job_ids: Collection[str]) -> list[PortalLine]:
    """What the jobs are now, in one query; in the order of their submission."""
    jobs = Job.objects.filter(pk__in=job_ids).select_related("voice").order_by("created_at", "id")
    return [wire.portal_line(job) for job in jobs]


def queue_for(now_on_board: Board, user: User) -> dict[str, Any]:
    """The queue with the places of a user's own jobs."""
    return {
        "queued": now_on_board.queued,
        "running": now_on_board.running,
        "workers": now_on_board.workers,
        "details": gauges.warnings(),
        "paused": now_on_board.paused,
        "paused_by": now_on_board.paused_by,
        "positions": {
            place.job_id: {"position": place.position, "eta_s": place.eta_s}
            for place in now_on_board.places
            if place.owner_id == user.pk or user.is_superuser
        },
    }


def gauges_now(_identity: Identity, _message: Mapping[str, Any]) -> dict[str, Any]:
    return {"scope": "system", **gauges.read()}


def visible(identity: Identity, job_ids: list[str]) -> set[str]:
    """Those of the jobs that may still be followed."""
    return set(Job.objects.visible_to(identity.user).filter(pk__in=job_ids).values_list("pk", flat=True))


def _job(identity: Identity, message: Mapping[str, Any]) -> Job:
    job = Job.objects.visible_to(identity.user).select_related("voice").filter(pk=str(message.get("job"))[:16]).first()
    if job is None:
        raise NotFound(_("This job does not exist."))
    return job
