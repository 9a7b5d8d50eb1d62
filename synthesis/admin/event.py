"""Events, of one job or the newest of all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, link, pretty
from synthesis.models import Event
from synthesis.vocabulary import Level

_OF_JOB = "job__id__exact"


class LevelFilter(admin.SimpleListFilter):
    title = gettext_lazy("level")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(level.value, level.value) for level in Level]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(level=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    """Millions of rows: only what an index finds can be asked for."""

    list_display = ("number", "of_job", "seq", "at", "status", "kind", "level", "brief")
    search_fields = ("job__id__exact",)
    search_help_text = gettext_lazy("The id of a job")
    sortable_by = ()
    list_per_page = 100
    fields = ("of_job", "seq", "at", "status", "kind", "level", "whole")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("job_id", "seq") if _is_scoped(request) else ("-id",)

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        """Within a job: among all events a rare level would be looked for to the end."""
        return (LevelFilter,) if _is_scoped(request) else ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == _OF_JOB or super().lookup_allowed(lookup, value, request)

    @admin.display(description="#")
    def number(self, event: Event) -> int:
        return event.pk

    @admin.display(description=gettext_lazy("job"))
    def of_job(self, event: Event) -> SafeString:
        return link(event.job_id, "admin:synthesis_job_change", event.job_id)

    @admin.display(description=gettext_lazy("data"))
    def brief(self, event: Event) -> str:
        words = ", ".join(f"{name}={value}" for name, value in event.data.items() if name != "peaks")
        return words if len(words) <= 160 else words[:159] + "…"

    @admin.display(description=gettext_lazy("data"))
    def whole(self, event: Event) -> SafeString:
        return pretty(event.data)


def _is_scoped(request: HttpRequest) -> bool:
    return bool(request.GET.get(_OF_JOB) or request.GET.get("q"))
