"""Whether workers take jobs: one row for the whole portal."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class QueueStateQuerySet(models.QuerySet["QueueState"]):
    def paused(self) -> QueueStateQuerySet:
        """The row, if the queue is paused."""
        return self.exclude(paused_at=None)


class QueueState(models.Model):
    """Paused: workers take no new job, running ones go on. Only ``jobs/intake.py`` writes it."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = QueueStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("state of the queue")
        verbose_name_plural = _("state of the queue")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="queue_state_is_one")]

    def __str__(self) -> str:
        return str(self.paused_at or "")

    @property
    def by(self) -> str:
        """Name of who paused it; needs ``paused_by``."""
        return self.paused_by.get_username() if self.paused_by else ""
