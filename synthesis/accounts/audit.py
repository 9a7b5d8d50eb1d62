"""The only writer of audit entries."""

from __future__ import annotations

from typing import Any

from django.db import models

from synthesis.models import AuditEntry, User


def record(
    action: str,
    *,
    actor: User | None,
    address: str | None,
    target: models.Model | None = None,
    detail: dict[str, Any] | None = None,
    actor_name: str = "",
) -> None:
    """Who did what to which object, from which address. Never secrets or texts in ``detail``."""
    AuditEntry.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else actor_name,
        action=action,
        object_type=target._meta.model_name or "" if target else "",  # noqa: SLF001 _meta is Django's public model API
        object_id=str(target.pk) if target else "",
        address=address,
        detail=detail or {},
    )
