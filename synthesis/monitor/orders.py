"""Orders to workers: written into their rows, for they may run on other machines; each looks every few seconds."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from synthesis.accounts import audit
from synthesis.errors import Forbidden, NotFound
from synthesis.jobs.estimate import ALIVE_WITHIN_S
from synthesis.models import User, WorkerState


def give(order: WorkerState.Order, name: str | None, *, by: User, address: str | None) -> list[str]:
    """Order one live worker, or all without a name; the names of those that were told.

    Raises Forbidden for anybody but an administrator, NotFound for a worker that does not live.
    """
    if not by.is_superuser:
        raise Forbidden(_("Only administrators may do this."))
    since = timezone.now() - datetime.timedelta(seconds=ALIVE_WITHIN_S)
    alive = WorkerState.objects.filter(heartbeat_at__gte=since, **({"pk": name} if name else {}))
    with transaction.atomic():
        told = list(alive)
        alive.filter(pk__in=[worker.pk for worker in told]).update(order=order)
        for worker in told:
            audit.record(f"worker.{order}", actor=by, address=address, target=worker)
    if name and not told:
        raise NotFound(_("This worker does not exist."))
    return [worker.name for worker in told]
