"""What worker processes last said of themselves."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, link
from synthesis.models import WorkerState


@admin.register(WorkerState)
class WorkerStateAdmin(ReadOnlyAdmin[WorkerState]):
    list_display = ("name", "host", "pid", "engine", "device", "state", "of_job", "memory_bytes", "heartbeat_at")
    list_filter = ("state", "engine", "heartbeat_at")
    search_fields = ("name", "host")
    fields = (
        "name",
        "host",
        "pid",
        "engine",
        "device",
        "state",
        "loaded",
        "message",
        "of_job",
        "memory_bytes",
        "started_at",
        "heartbeat_at",
    )

    @admin.display(description=gettext_lazy("job"))
    def of_job(self, worker: WorkerState) -> SafeString | str:
        return link(worker.job_id, "admin:synthesis_job_change", worker.job_id) if worker.job_id else ""
