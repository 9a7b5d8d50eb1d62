"""What a person asked of a running job, and when it was done: two facts."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from synthesis.vocabulary import Command


class Control(models.Model):
    """Asked by a person, applied by the worker from a segment on. Part of the recipe."""

    job = models.ForeignKey("synthesis.Job", models.CASCADE, related_name="controls")
    command = models.CharField(max_length=12, choices=[(c.value, c.value) for c in Command])
    value = models.JSONField(null=True, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    from_segment = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("control")
        verbose_name_plural = _("controls")

    def __str__(self) -> str:
        return f"{self.job_id}: {self.command}"
