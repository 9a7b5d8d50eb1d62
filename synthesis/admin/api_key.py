"""Keys of programs. They are made by their users; here they are seen and revoked."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from synthesis.accounts import keys
from synthesis.accounts.address import address_of
from synthesis.admin.records import ReadOnlyAdmin
from synthesis.models import ApiKey, User


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    list_display = ("prefix", "name", "user", "created_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix", "name", "user__username")
    fields = ("prefix", "name", "user", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        by = request.user
        if not isinstance(by, User):
            return
        valid = list(queryset.filter(revoked_at=None))
        for key in valid:
            keys.revoke(key, by=by, address=address_of(request))
        count = len(valid)
        if count:
            said = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", count) % {"count": count}
            self.message_user(request, said, messages.SUCCESS)
        else:
            self.message_user(request, _("These keys were revoked before."), messages.INFO)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("synthesis.change_apikey")
