"""A stored audio file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from synthesis.vocabulary import AudioFormat

if TYPE_CHECKING:
    from .user import User


class OutputQuerySet(models.QuerySet["Output"]):
    def visible_to(self, user: User) -> OutputQuerySet:
        """As the job it belongs to."""
        return self.all() if user.is_superuser else self.filter(job__owner=user)


class Output(models.Model):
    """A finished file of a job. Redoing a segment makes a new version; the old one stays."""

    job = models.ForeignKey("synthesis.Job", models.CASCADE, related_name="outputs", verbose_name=_("job"))
    version = models.PositiveIntegerField(_("version"), default=1)
    format = models.CharField(_("format"), max_length=8, choices=[(f.value, f.value) for f in AudioFormat])
    name = models.CharField(_("name"), max_length=80, unique=True)
    path = models.CharField(max_length=200, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64)
    size_bytes = models.PositiveBigIntegerField(_("size (bytes)"))
    duration_s = models.FloatField(_("duration (s)"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OutputQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("output")
        verbose_name_plural = _("outputs")
        constraints = [
            models.UniqueConstraint(fields=["job", "version", "format"], name="output_once_per_version_and_format"),
        ]

    def __str__(self) -> str:
        return self.name
