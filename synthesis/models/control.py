"""What a person asked of a job, and when it was done: two facts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from synthesis.vocabulary import Command

from .voice import Voice


class ControlQuerySet(models.QuerySet["Control"]):
    def pending(self) -> ControlQuerySet:
        """Asked, and neither applied nor too late."""
        return self.filter(applied_at=None, lapsed_at=None)


class Control(models.Model):
    """Asked by a person, applied by the worker from a segment on. Part of the recipe."""

    job = models.ForeignKey("synthesis.Job", models.CASCADE, related_name="controls")
    command = models.CharField(max_length=12, choices=[(c.value, c.value) for c in Command])
    value = models.JSONField(null=True, blank=True)
    redo = models.BooleanField(default=False)
    """The segment that is being made is dropped and made again with the change."""
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)
    """The job ended before this could be done."""
    from_segment = models.PositiveIntegerField(null=True, blank=True)

    objects = ControlQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("control")
        verbose_name_plural = _("controls")

    def __str__(self) -> str:
        return f"{self.job_id}: {self.command}"

    @property
    def state(self) -> str:
        """``asked``, ``applied`` or ``lapsed``."""
        if self.lapsed_at:
            return "lapsed"
        return "applied" if self.applied_at else "asked"

    @property
    def by(self) -> str:
        """Name of who asked; needs ``asked_by``."""
        return self.asked_by.get_username() if self.asked_by else ""

    def voice_name(self) -> str:
        """Name of the voice that was asked for, as it is called now; empty for other commands. One query."""
        if self.command != Command.VOICE:
            return ""
        return Voice.objects.values_list("name", flat=True).get(pk=self.value)
