"""Seeds that people bookmarked."""

from __future__ import annotations

from django.contrib import admin

from synthesis.admin.records import ReadOnlyAdmin
from synthesis.models import SavedSeed


@admin.register(SavedSeed)
class SavedSeedAdmin(ReadOnlyAdmin[SavedSeed]):
    list_display = ("seed", "owner", "voice", "note", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("owner", "voice")
    search_fields = ("seed__exact", "note", "owner__username")
