"""Job audit: who asked for what, with which seed, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from synthesis.accounts.address import address_of
from synthesis.admin.records import ReadOnlyAdmin, link, links, pretty
from synthesis.admin.segment import SegmentInline
from synthesis.engines.catalogue import ENGINES
from synthesis.errors import PortalError
from synthesis.events import verdict_text
from synthesis.jobs import replay
from synthesis.models import Job, User

_SCOPED_LOOKUPS = frozenset({"voice__id__exact", "batch__id__exact", "owner__id__exact"})


class EngineFilter(admin.SimpleListFilter):
    """By the engine that made it; the choices come from the catalogue, not from all rows."""

    title = gettext_lazy("engine")
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ENGINES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(fingerprint__engine=self.value()) if self.value() else queryset


class VerdictFilter(admin.SimpleListFilter):
    """Replays by what came of comparing them."""

    title = gettext_lazy("verdict")
    parameter_name = "verdict"
    CONDITIONS: Mapping[str, dict[str, bool]] = MappingProxyType(
        {
            "identical": {"verdict__identical": True},
            "differs": {"verdict__identical": False},
            "pending": {"verdict__pending": True},
        }
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("identical", _("identical")), ("differs", _("differs")), ("pending", _("not compared yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        condition = self.CONDITIONS.get(self.value() or "")
        # The first condition has an index: few jobs are replays.
        return queryset.filter(replay_of__isnull=False, **condition) if condition else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin[Job]):
    list_display = ("id", "title", "owner", "status", "seed", "engine", "duration_s", "created_at", "download")
    list_filter = ("status", EngineFilter, VerdictFilter, "mode", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id__exact", "text", "seed__exact", "owner__username__exact", "main_output__exact")
    search_help_text = gettext_lazy("An id, words of the text, a seed, an owner's name, or the name of a file")
    ordering = ("-created_at", "-id")
    actions = ("replay",)
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
                    "revision_of",
                    "version",
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
        (gettext_lazy("Reproduction"), {"fields": ("compared", "made_by", "cooked")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        rows: QuerySet[Job] = super().get_queryset(request).annotate(engine_name=KT("fingerprint__engine"))
        if request.resolver_match and request.resolver_match.url_name == "synthesis_job_changelist":
            return rows.defer("recipe", "fingerprint", "error_detail", "prompt_text")
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in _SCOPED_LOOKUPS or super().lookup_allowed(lookup, value, request)

    @admin.action(description=gettext_lazy("Replay the selected jobs and compare the samples"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        by = request.user
        if not isinstance(by, User):
            return
        started = 0
        for job in queryset.select_related("voice").order_by("created_at", "id"):
            try:
                replay.start(job, by=by, address=address_of(request))
                started += 1
            except PortalError as problem:
                refused = _("Job %(job)s: %(problem)s") % {"job": job.pk, "problem": problem.message}
                self.message_user(request, refused, messages.WARNING)
        if started:
            said = ngettext("%(count)s job is being replayed.", "%(count)s jobs are being replayed.", started)
            self.message_user(request, said % {"count": started}, messages.SUCCESS)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("synthesis.add_job")

    @admin.display(description=gettext_lazy("verdict"))
    def compared(self, job: Job) -> str:
        if not job.verdict or "pending" in job.verdict:
            return _("not compared yet") if job.verdict else ""
        return verdict_text.in_full(job.verdict)

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
