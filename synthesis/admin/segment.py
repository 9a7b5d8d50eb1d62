"""The pieces of a job, on the job's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from synthesis.admin.records import link
from synthesis.models import Segment


class SegmentInline(admin.TabularInline):  # type: ignore[type-arg]  # takes no argument while running
    model = Segment
    fields = ("index", "text", "language", "seed", "speed", "duration_s", "compute_s", "audio")
    readonly_fields = ("audio",)
    ordering = ("index",)
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        # A row's name is asked for and would look for its job each time.
        return super().get_queryset(request).select_related("job", "voice")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("audio"))
    def audio(self, segment: Segment) -> SafeString | str:
        return link(_("Listen"), "segment_audio", segment.job_id, segment.index) if segment.audio_path else ""
