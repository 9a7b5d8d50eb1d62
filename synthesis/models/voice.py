"""A reference voice: what people pick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from synthesis.identifiers import new_id

if TYPE_CHECKING:
    from .user import User


class VoiceQuerySet(models.QuerySet["Voice"]):
    def present(self) -> VoiceQuerySet:
        """Not deleted."""
        return self.filter(deleted_at=None)

    def visible_to(self, user: User) -> VoiceQuerySet:
        """Ready-made voices, the user's own, and those shared with the team; administrators see all."""
        if user.is_superuser:
            return self.present()
        return self.present().filter(Q(owner=None) | Q(owner=user) | Q(shared=True))

    def editable_by(self, user: User) -> VoiceQuerySet:
        if user.is_superuser:
            return self.present().exclude(owner=None)
        return self.present().filter(owner=user)


class Voice(models.Model):
    """A recording to speak like. Its file is our own mono 24 kHz PCM16 re-encoding, never the upload."""

    class Origin(models.TextChoices):
        UPLOAD = "upload", _("uploaded")
        RECORDING = "recording", _("recorded")
        READY_MADE = "ready_made", _("ready-made")

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="voices", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    transcript = models.TextField(_("transcript"), blank=True)
    origin = models.CharField(_("origin"), max_length=12, choices=Origin.choices)
    preset = models.CharField(max_length=40, blank=True, editable=False, db_index=True)
    path = models.CharField(max_length=200, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False, db_index=True)
    duration_s = models.FloatField(_("duration (s)"), editable=False)
    source_sample_rate_hz = models.PositiveIntegerField(_("source sample rate (Hz)"), editable=False)
    peaks = models.JSONField(default=list, editable=False)
    findings = models.JSONField(_("quality findings"), default=list, editable=False)
    consent = models.BooleanField(_("consent of the speaker"), default=False)
    shared = models.BooleanField(_("shared with the team"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = VoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("voice")
        verbose_name_plural = _("voices")

    def __str__(self) -> str:
        return self.name
