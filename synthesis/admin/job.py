"""Job audit: who asked for what, with which seed, what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, link, links, pretty
from synthesis.admin.segment import SegmentInline
from synthesis.engines.catalogue import ENGINES
from synthesis.models import Job

_SCOPED_LOOKUPS = frozenset({"voice__id__exact", "batch__id__exact", "owner__id__exact"})


class EngineFilter(admin.SimpleListFilter):
    """By the engine that made it; the choices come from the catalogue, not from all rows."""

    title = gettext_lazy("engine")
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ENGINES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(fingerprint__engine=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin[Job]):
    list_display = ("id", "title", "owner", "status", "seed", "engine", "duration_s", "created_at", "download")
    list_filter = ("status", EngineFilter, "mode", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id__exact", "text", "seed__exact", "owner__username__exact", "main_output__exact")
    search_help_text = gettext_lazy("An id, words of the text, a seed, an owner's name, or the name of a file")
    ordering = ("-created_at", "-id")
    sortable_by = ("created_at",)  # what an index can sort
    inlines = (SegmentInline,)
    fieldsets = (
        (None, {"fields": ("id", "owner", "status", "where_to_go", "download")}),
        (
            gettext_lazy("What was asked for"),
            {
                "fields": (
                    "text",
                    "voice",
                    "prompt_text",
                    "instruct",
                    "mode",
                    "seed",
                    "speed",
                    "priority",
                    "format",
                    "batch",
                    "replay_of",
                )
            },
        ),
        (
            gettext_lazy("What came of it"),
            {
                "fields": (
                    "stage",
                    "progress",
                    "duration_s",
                    "compute_s",
                    "worker",
                    "attempts",
                    "created_at",
                    "started_at",
                    "ended_at",
                )
            },
        ),
        (gettext_lazy("Error"), {"fields": ("error_code", "error_message", "error_trace")}),
        (gettext_lazy("Reproduction"), {"fields": ("made_by", "cooked")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        rows: QuerySet[Job] = super().get_queryset(request).annotate(engine_name=KT("fingerprint__engine"))
        if request.resolver_match and request.resolver_match.url_name == "synthesis_job_changelist":
            return rows.defer("recipe", "fingerprint", "error_detail", "prompt_text")
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in _SCOPED_LOOKUPS or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("text"))
    def title(self, job: Job) -> str:
        return job.title

    @admin.display(description=gettext_lazy("engine"))
    def engine(self, job: Any) -> str:
        return job.engine_name or ""

    @admin.display(description=gettext_lazy("download"))
    def download(self, job: Job) -> SafeString | str:
        return link(_("Download"), "output", job.main_output, query="?download") if job.main_output else ""

    @admin.display(description=gettext_lazy("attempts"))
    def attempts(self, job: Job) -> str:
        return _("%(attempts)s, of which %(deaths)s ended with the worker's death") % {
            "attempts": job.attempt,
            "deaths": job.deaths,
        }

    @admin.display(description=gettext_lazy("error detail"))
    def error_trace(self, job: Job) -> SafeString:
        return format_html("{}<pre>{}</pre>", job.error_stage, job.error_detail)

    @admin.display(description=gettext_lazy("see also"))
    def where_to_go(self, job: Job) -> SafeString:
        of_job = f"?job__id__exact={job.pk}"
        return links(
            (_("Page"), reverse("job", args=[job.pk])),
            (_("Events"), reverse("admin:synthesis_event_changelist") + of_job),
            (_("Outputs"), reverse("admin:synthesis_output_changelist") + of_job),
            (_("Audit"), reverse("admin:synthesis_auditentry_changelist") + f"?q={job.pk}"),
        )

    @admin.display(description=gettext_lazy("engine fingerprint"))
    def made_by(self, job: Job) -> SafeString:
        return pretty(job.fingerprint)

    @admin.display(description=gettext_lazy("recipe"))
    def cooked(self, job: Job) -> SafeString:
        return pretty(job.recipe)
