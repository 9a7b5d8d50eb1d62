"""The shelf of reference voices."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from synthesis.accounts.address import address_of
from synthesis.errors import InvalidInput
from synthesis.models import User, Voice
from synthesis.voices import library
from synthesis.web.session import login_required, user_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def voices(request: HttpRequest) -> HttpResponse:
    """The voices; POST takes in an upload from a browser without JavaScript."""
    user = user_of(request)
    if request.method != "POST":
        return render(request, "web/voices.html", _context(user, {}, {}))
    try:
        voice = _create(request, user)
    except InvalidInput as problem:
        context = _context(user, request.POST.dict(), problem.fields)
        return render(request, "web/voices.html", context, status=problem.http_status)
    messages.success(request, _("Voice created") + f": {voice.name}")
    return redirect("voices")


@login_required
@require_POST
def delete(request: HttpRequest, voice_id: str) -> HttpResponse:
    user = user_of(request)
    voice = Voice.objects.editable_by(user).filter(pk=voice_id).first()
    if voice is None:
        raise Http404
    library.delete(voice, by=user, address=address_of(request))
    messages.success(request, _("Deleted") + f": {voice.name}")
    return redirect("voices")


def _create(request: HttpRequest, user: User) -> Voice:
    audio = request.FILES.get("audio")
    if audio is None:
        problem = _("Please choose a file.")
        raise InvalidInput(problem, fields={"audio": problem})
    return library.create(
        owner=user,
        name=request.POST.get("name", ""),
        source=audio,
        transcript=request.POST.get("transcript", ""),
        language=request.POST.get("language", ""),
        consent=bool(request.POST.get("consent")),
        shared=bool(request.POST.get("shared")),
        origin=Voice.Origin.UPLOAD,
        address=address_of(request),
    )


def _context(user: User, values: dict[str, Any], problems: dict[str, Any]) -> dict[str, Any]:
    rows = list(Voice.objects.visible_to(user).select_related("owner"))
    return {
        "mine": [voice for voice in rows if voice.owner_id == user.pk],
        "shared": [voice for voice in rows if voice.owner_id not in {None, user.pk}],
        "ready_made": [voice for voice in reversed(rows) if voice.owner_id is None],
        "editable": {
            voice.pk
            for voice in rows
            if voice.owner_id is not None and (user.is_superuser or voice.owner_id == user.pk)
        },
        "values": values,
        "problems": problems,
        "max_upload_mib": settings.MAX_REFERENCE_BYTES >> 20,
    }
