"""What a worker process last said of itself."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerState(models.Model):
    """Renewed every few seconds by the worker; a row whose heartbeat is old is of a dead one."""

    class State(models.TextChoices):
        STARTING = "starting", _("starting")
        IDLE = "idle", _("idle")
        BUSY = "busy", _("busy")
        UNLOADED = "unloaded", _("unloaded")
        DRAINING = "draining", _("draining")
        RECYCLING = "recycling", _("recycling")
        FAILED = "failed", _("failed")
        STOPPING = "stopping", _("stopping")

    UNABLE = frozenset({State.STOPPING, State.FAILED})
    """It takes no jobs, and no successor of it is on the way."""

    class Order(models.TextChoices):
        """What an administrator may ask of a worker."""

        RESTART = "restart", _("restart")
        UNLOAD = "unload", _("unload the model")

    name = models.CharField(_("name"), primary_key=True, max_length=120)
    number = models.PositiveSmallIntegerField(default=0)
    """Which of its machine's workers it is; its successor after a restart has the same."""
    host = models.CharField(_("host"), max_length=120)
    pid = models.PositiveIntegerField("PID")
    engine = models.CharField(_("engine"), max_length=40)
    device = models.CharField(_("device"), max_length=80, blank=True)
    clones = models.BooleanField(default=False)
    loaded = models.BooleanField(_("model in memory"), default=False)
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    message = models.TextField(_("message"), blank=True)
    """Why it cannot work, in the engine's words."""
    order = models.CharField(_("order"), max_length=12, choices=Order.choices, blank=True)
    """Asked and not heard yet."""
    job_id = models.CharField(_("job"), max_length=16, blank=True)
    memory_bytes = models.PositiveBigIntegerField(_("memory (bytes)"), default=0)
    machine: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    """Its machine's gauges, as ``synthesis.monitor.machine`` reads them."""
    started_at = models.DateTimeField(_("started"))
    heartbeat_at = models.DateTimeField(_("heartbeat"), db_index=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
