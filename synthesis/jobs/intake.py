"""The queue as a whole: paused and resumed by administrators. The only writer of ``QueueState``."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from synthesis.accounts import audit
from synthesis.errors import Forbidden
from synthesis.events import push
from synthesis.jobs import recovery
from synthesis.models import QueueState, User


def pause(*, by: User, address: str | None) -> None:
    """Workers take no new job; running ones go on and new ones are accepted. Raises Forbidden."""
    _only_administrators(by)
    with transaction.atomic():
        QueueState.objects.get_or_create(pk=QueueState.ONLY)
        if QueueState.objects.filter(paused_at=None).update(paused_at=timezone.now(), paused_by=by):
            audit.record("queue.pause", actor=by, address=address)
    push.queue_changed()


def resume(*, by: User, address: str | None) -> None:
    """Workers take jobs again, at once. Raises Forbidden."""
    _only_administrators(by)
    with transaction.atomic():
        if QueueState.objects.paused().update(paused_at=None, paused_by=None):
            audit.record("queue.resume", actor=by, address=address)
    # After commit: a worker with a fresh ticket must find the queue open.
    recovery.add_missing_tickets()
    push.queue_changed()


def _only_administrators(user: User) -> None:
    if not user.is_superuser:
        raise Forbidden(_("Only administrators can pause and resume the queue."))
