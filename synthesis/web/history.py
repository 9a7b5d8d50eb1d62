"""All jobs a person may see: search, filters, pages."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from synthesis.models import Batch, Job, Voice
from synthesis.models.job import STATUS_LABELS, JobQuerySet
from synthesis.vocabulary import ACTIVE, Status
from synthesis.web.lines import lines_of
from synthesis.web.session import login_required, user_of

PAGE = 25


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    visible = Job.objects.visible_to(user).select_related("voice", "owner")
    found = _searched(visible, request.GET.get("q", "").replace("\0", " "))
    found = _filtered(found, request.GET)
    page = Paginator(found.order_by("-created_at", "-id"), PAGE).get_page(request.GET.get("page"))
    owners = {job.pk: job.owner for job in page}
    context = {
        "page_of": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "lines": [{**line, "owner_name": owners[line["id"]].get_username()} for line in lines_of(page)],
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


def _searched(rows: JobQuerySet, words: str) -> JobQuerySet:
    """Words of the text or the voice's name, a seed, an id, or an owner's name."""
    for word in words.split()[:8]:
        match = (
            Q(text__icontains=word) | Q(voice__name__icontains=word) | Q(owner__username__iexact=word) | Q(pk=word[:16])
        )
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
