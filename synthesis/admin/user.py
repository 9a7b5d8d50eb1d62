"""Members and administrators."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from synthesis.models import User


@admin.register(User)
class PortalUserAdmin(UserAdmin):  # type: ignore[type-arg]  # takes no argument while running
    """Django's own. People who leave are deactivated: their jobs and the record of them stay."""

    list_display = ("username", "first_name", "last_name", "email", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Portal"), {"fields": ("language",)}))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False
