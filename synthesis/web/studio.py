"""The home page: a text and a voice in, my jobs beside it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from synthesis.accounts.address import address_of
from synthesis.errors import PortalError
from synthesis.jobs import spec, submission, upload
from synthesis.models import Job, SavedSeed, User, Voice
from synthesis.models.job import MODE_LABELS
from synthesis.monitor import gauges, machine
from synthesis.vocabulary import AudioFormat
from synthesis.web import warnings
from synthesis.web.lines import lines_of
from synthesis.web.session import login_required, user_of

RECENT = 20
FIELDS = ("text", "prompt_audio", "instruct", "mode", "seed", "speed", "priority", "format", "takes")
REUSED = {name: name for name in FIELDS if name not in {"prompt_audio", "takes"}} | {"prompt_audio": "voice_id"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def studio(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if request.method != "POST":
        return render(request, "web/studio.html", _context(user, _first_values(request, user), {}))
    values = {name: request.POST.get(name, "") for name in FIELDS}
    try:
        done = submission.submit(values, owner=user, address=address_of(request))
    except PortalError as problem:
        problems = problem.fields or {"text": problem.message}
        return render(request, "web/studio.html", _context(user, values, problems), status=problem.http_status)
    return redirect("batch", done.batch.pk) if done.batch else redirect("job", done.jobs[0].pk)


def _first_values(request: HttpRequest, user: User) -> dict[str, Any]:
    """Empty, or what an earlier job was made with (``?job=``), or with a chosen voice (``?voice=``)."""
    earlier = Job.objects.visible_to(user).filter(pk=request.GET.get("job", "")[:16]).first()
    if earlier is not None:
        return {name: getattr(earlier, column) for name, column in REUSED.items()}
    return {"prompt_audio": request.GET.get("voice", "")[:16], "seed": request.GET.get("seed", "")[:16]}


def _context(user: User, values: dict[str, Any], problems: dict[str, Any]) -> dict[str, Any]:
    voices = list(Voice.objects.visible_to(user).select_related("owner").order_by("created_at", "id"))
    voices.sort(key=lambda voice: (voice.owner_id is None, voice.owner_id != user.pk))  # mine, the team's, ready-made
    mine = Job.objects.filter(owner=user).select_related("voice")
    return {
        "values": values,
        "problems": problems,
        "advanced_open": bool(
            values.get("seed") not in {None, ""} or problems.keys() - {"text", "prompt_audio", "instruct"}
        ),
        "warnings": warnings.sentences(gauges.warnings()),
        "here": machine.NAME,
        "voices": voices,
        "chosen": next((voice for voice in voices if voice.pk == values.get("prompt_audio")), _default(voices)),
        "lines": lines_of(mine.order_by("-created_at", "-id")[:RECENT]),
        "modes": MODE_LABELS,
        "formats": list(AudioFormat),
        "chips": _chips(),
        "saved_seeds": SavedSeed.objects.filter(owner=user).select_related("voice")[:50],
        "max_takes": submission.MAX_TAKES,
        "speed_range": (spec.MIN_SPEED, spec.MAX_SPEED),
        "max_rows": upload.MAX_ROWS,
        "max_upload_mib": settings.MAX_REFERENCE_BYTES >> 20,
    }


def _default(voices: list[Voice]) -> Voice | None:
    """As ``spec.validate`` chooses when nothing is said: the oldest ready-made voice."""
    ready_made = [voice for voice in voices if voice.owner_id is None]
    return next(iter(ready_made or voices), None)


def _chips() -> list[tuple[str, str]]:
    """Name and words of each instruction; the words are what the engines understand in either language."""
    return [
        (_("gentle"), _("speak gently")),
        (_("fast"), _("a bit faster")),
        (_("slow"), _("a bit slower")),
        (_("cheerful"), _("in a cheerful mood")),
        (_("sad"), _("in a sad mood")),
        (_("whisper"), _("whisper")),
        (_("loud"), _("speak loudly")),
    ]
