"""What a worker process last said of itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerState(models.Model):
    """Renewed every few seconds by the worker; a row whose heartbeat is old is of a dead one."""

    class State(models.TextChoices):
        STARTING = "starting", _("starting")
        IDLE = "idle", _("idle")
        BUSY = "busy", _("busy")
        STOPPING = "stopping", _("stopping")

    name = models.CharField(_("name"), primary_key=True, max_length=120)
    host = models.CharField(_("host"), max_length=120)
    pid = models.PositiveIntegerField("PID")
    engine = models.CharField(_("engine"), max_length=40)
    device = models.CharField(_("device"), max_length=80, blank=True)
    clones = models.BooleanField(default=False)
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    job_id = models.CharField(_("job"), max_length=16, blank=True)
    memory_bytes = models.PositiveBigIntegerField(_("memory (bytes)"), default=0)
    started_at = models.DateTimeField(_("started"))
    heartbeat_at = models.DateTimeField(_("heartbeat"), db_index=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
