"""What all pages of stored records share: they are read, not written, and stay fast with millions of rows."""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_M = TypeVar("_M", bound=Model)
COUNTED = 10_000
"""Rows that are counted for the page numbers at most: counting five millions takes longer than showing a page."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # takes no argument while running
    """Counts no further than ``COUNTED``; filters and search reach the rest."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:COUNTED].count())


class ReadOnlyAdmin(admin.ModelAdmin, Generic[_M]):  # type: ignore[type-arg]  # the same
    """Facts are not edited, and deleting rows would leave their files behind."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet is a count of its own
    list_per_page = 50
    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: _M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: _M | None = None) -> bool:
        return False


def link(text: object, view: str, *args: object, query: str = "") -> SafeString:
    """A link to a page of the portal or the admin."""
    return format_html('<a href="{}{}">{}</a>', reverse(view, args=args), query, text)


def links(*pairs: tuple[str | Promise, str]) -> SafeString:
    """Several links, in a line."""
    return format_html_join(" · ", '<a href="{}">{}</a>', ((url, text) for text, url in pairs))


def pretty(data: object) -> SafeString:
    """Stored JSON, readable."""
    return format_html("<pre>{}</pre>", json.dumps(data, ensure_ascii=False, indent=2))
