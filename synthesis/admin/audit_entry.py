"""Who did what. Append-only: nobody changes or deletes it, here or anywhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, pretty
from synthesis.models import AuditEntry


class ActionFilter(admin.SimpleListFilter):
    """By the first word of an action (``job.submit``), which the index finds."""

    title = gettext_lazy("action")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("login", gettext_lazy("Login")),
            ("logout", gettext_lazy("Logout")),
            ("job", gettext_lazy("Jobs")),
            ("voice", gettext_lazy("Voices")),
            ("key", gettext_lazy("API keys")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        # "login" is also the whole of an action, and there is "login.failed".
        chosen = self.value()
        return queryset.filter(action__startswith=chosen) if chosen else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ("at", "actor_name", "action", "object_type", "object_id", "address")
    list_filter = (ActionFilter, "at")
    search_fields = ("actor_name__exact", "action__exact", "object_id__exact", "address__exact")
    search_help_text = gettext_lazy("A user's name, an action, the id of an object, or an address")
    ordering = ("-id",)
    sortable_by = ()
    # Not "actor": the user may be gone. The name was copied.
    fields = ("at", "actor_name", "action", "object_type", "object_id", "address", "details")

    @admin.display(description=gettext_lazy("detail"))
    def details(self, entry: AuditEntry) -> SafeString:
        return pretty(entry.detail)
