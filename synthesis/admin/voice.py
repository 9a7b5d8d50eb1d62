"""Reference voices."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, link, pretty
from synthesis.models import Voice


@admin.register(Voice)
class VoiceAdmin(ReadOnlyAdmin[Voice]):
    list_display = (
        "name",
        "id",
        "owner",
        "origin",
        "language",
        "duration_s",
        "shared",
        "consent",
        "created_at",
        "deleted_at",
    )
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), "origin", "language", "shared", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "id__exact", "transcript", "owner__username", "sha256__exact")
    fields = (
        "id",
        "name",
        "owner",
        "description",
        "language",
        "transcript",
        "origin",
        "consent",
        "shared",
        "recording",
        "jobs_with_it",
        "duration_s",
        "source_sample_rate_hz",
        "found",
        "sha256",
        "created_at",
        "deleted_at",
    )

    @admin.display(description=gettext_lazy("recording"))
    def recording(self, voice: Voice) -> SafeString | str:
        return "" if voice.deleted_at else link(_("Listen"), "voice_audio", voice.pk)

    @admin.display(description=gettext_lazy("jobs"))
    def jobs_with_it(self, voice: Voice) -> SafeString:
        return link(_("Jobs with this voice"), "admin:synthesis_job_changelist", query=f"?voice__id__exact={voice.pk}")

    @admin.display(description=gettext_lazy("quality findings"))
    def found(self, voice: Voice) -> SafeString:
        return pretty(voice.findings)
