"""All jobs a person may see: search, filters, pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from synthesis.models import Batch, Job, User, Voice
from synthesis.models.job import STATUS_LABELS, JobQuerySet
from synthesis.vocabulary import ACTIVE, Status
from synthesis.web.lines import lines_of
from synthesis.web.session import login_required, user_of

PAGE = 25
MOST_FOUND = 1000
"""Of a search: counting all that match means reading every text."""


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    words = request.GET.get("q", "").replace("\0", " ").split()
    found = _filtered(_searched(Job.objects.visible_to(user), words), request.GET)
    # Ids first: they come out of an index, however far down the page is.
    ids = found.order_by("-created_at", "-id").values_list("pk", flat=True)
    page = Paginator(list(ids[:MOST_FOUND]) if words else ids, PAGE).get_page(request.GET.get("page"))
    rows = list(Job.objects.filter(pk__in=list(page)).order_by("-created_at", "-id").lines())
    context = {
        "page_of": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "found_all": not words or page.paginator.count < MOST_FOUND,
        "lines": [
            {**line, "owner_name": job.owner.get_username()} for job, line in zip(rows, lines_of(rows), strict=True)
        ],
        "statuses": [("", _("All")), ("active", _("Active")), *STATUS_LABELS[3:]],
        "status": request.GET.get("status", ""),
        "query": request.GET.get("q", ""),
        "voice": request.GET.get("voice", ""),
        "voices": Voice.objects.visible_to(user).order_by("name"),
        "kept": _kept(request),
        "batch": Batch.objects.visible_to(user).filter(pk=request.GET.get("batch", "").replace("\0", "")[:16]).first(),
        "filtered": any(request.GET.get(name) for name in ("q", "status", "voice", "batch")),
    }
    return render(request, "web/jobs.html", context)


def _searched(rows: JobQuerySet, words: Sequence[str]) -> JobQuerySet:
    """Words of the text or the voice's name, a seed, an id, or an owner's name."""
    for word in words[:8]:
        match = Q(text__icontains=word) | Q(pk=word[:16])
        # Looked up first, and no joins: what no name fits is not asked of every job.
        if voices := list(Voice.objects.filter(name__icontains=word).values_list("pk", flat=True)):
            match |= Q(voice__in=voices)
        if owners := list(User.objects.filter(username__iexact=word).values_list("pk", flat=True)):
            match |= Q(owner__in=owners)
        if word.isascii() and word.isdigit() and len(word) <= 16:
            match |= Q(seed=int(word))
        rows = rows.filter(match)
    return rows


def _filtered(rows: JobQuerySet, wanted: Any) -> JobQuerySet:
    status, voice = wanted.get("status", ""), wanted.get("voice", "").replace("\0", "")
    if status == "active":
        rows = rows.filter(status__in=ACTIVE)
    elif status in set(Status):
        rows = rows.filter(status=status)
    if batch := wanted.get("batch", "").replace("\0", ""):
        rows = rows.filter(batch_id=batch[:16])
    return rows.filter(voice_id=voice[:16]) if voice else rows


def _kept(request: HttpRequest) -> str:
    """The query string without the page, for links to other pages of the same search."""
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()
