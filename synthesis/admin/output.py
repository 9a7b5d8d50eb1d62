"""Stored audio files."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, link
from synthesis.models import Output


@admin.register(Output)
class OutputAdmin(ReadOnlyAdmin[Output]):
    list_display = ("name", "of_job", "format", "version", "duration_s", "size_bytes", "created_at", "download")
    list_filter = ("format", "created_at")
    search_fields = ("name__exact", "job__id__exact", "sha256__exact")
    search_help_text = gettext_lazy("The name of a file, the id of a job, or a SHA-256")
    ordering = ("-id",)
    sortable_by = ()
    fields = ("name", "of_job", "format", "version", "duration_s", "size_bytes", "sha256", "created_at", "download")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "job__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("job"))
    def of_job(self, output: Output) -> SafeString:
        return link(output.job_id, "admin:synthesis_job_change", output.job_id)

    @admin.display(description=gettext_lazy("download"))
    def download(self, output: Output) -> SafeString:
        return link(_("Download"), "output", output.name, query="?download")
