"""Jobs that were submitted together."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from synthesis.admin.records import ReadOnlyAdmin, link
from synthesis.models import Batch


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin[Batch]):
    list_display = ("id", "title", "owner", "jobs_of_it", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    search_fields = ("id__exact", "title", "owner__username__exact")
    fields = ("id", "title", "owner", "jobs_of_it", "created_at")

    @admin.display(description=gettext_lazy("jobs"))
    def jobs_of_it(self, batch: Batch) -> SafeString:
        return link(_("Jobs"), "admin:synthesis_job_changelist", query=f"?batch__id__exact={batch.pk}")
