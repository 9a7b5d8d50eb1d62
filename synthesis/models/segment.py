"""A piece of a job's text: the unit of progress, of stored audio and of recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from synthesis.text.duration import OddLength, odd_length

if TYPE_CHECKING:
    from .user import User


class SegmentQuerySet(models.QuerySet["Segment"]):
    def visible_to(self, user: User) -> SegmentQuerySet:
        """As the job it belongs to."""
        return self.all() if user.is_superuser else self.filter(job__owner=user)


class Segment(models.Model):
    """A row with ``audio_path`` is finished and is never made again."""

    job = models.ForeignKey("synthesis.Job", models.CASCADE, related_name="segments", verbose_name=_("job"))
    index = models.PositiveIntegerField(_("index"))
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=8)
    start = models.PositiveIntegerField()
    """Offsets into the job's text, in characters."""
    end = models.PositiveIntegerField()
    seed = models.BigIntegerField(_("seed"))

    # As it was made: what was asked may have changed in the middle of the job
    voice = models.ForeignKey("synthesis.Voice", models.PROTECT, null=True, blank=True, related_name="+")
    instruct = models.CharField(max_length=500, blank=True)
    speed = models.FloatField(default=1.0)
    pieces = models.JSONField(null=True, blank=True)
    """The texts it is spoken in, one after the other, if it was too much for the memory as a whole; null normally."""

    audio_path = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    duration_s = models.FloatField(_("duration (s)"), null=True, blank=True)
    compute_s = models.FloatField(_("compute time (s)"), null=True, blank=True)
    peaks = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ["job_id", "index"]  # not "job", which would sort by the job's own ordering
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [models.UniqueConstraint(fields=["job", "index"], name="segment_once_per_index")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.index}"

    @property
    def odd(self) -> OddLength | None:
        """What is to be suspected of the audio, going by its length."""
        return odd_length(self.text, self.duration_s, speed=self.speed) if self.audio_path and self.duration_s else None
