"""An immutable fact about a job."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """``seq`` counts 1, 2, 3 … per job without gaps. Only synthesis.events.record creates rows."""

    job = models.ForeignKey("synthesis.Job", models.CASCADE, related_name="events", verbose_name=_("job"))
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(_("at"))
    status = models.CharField(_("status"), max_length=12)
    kind = models.CharField(_("kind"), max_length=16)
    level = models.CharField(_("level"), max_length=8, blank=True)
    data = models.JSONField(_("data"), default=dict)

    class Meta:
        ordering = ["job_id", "seq"]  # not "job", which would sort by the job's own ordering
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["job", "seq"], name="event_once_per_seq")]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.seq} {self.kind}"
