"""Small things that templates say often: icons, clocks, words of the vocabulary."""

from __future__ import annotations

import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from synthesis.events.hints import hint_for
from synthesis.events.wire import stage_label
from synthesis.models import Voice
from synthesis.models.job import STATUS_LABELS
from synthesis.vocabulary import Status
from synthesis.voices import library

register = template.Library()

STATUS_ICONS = {
    Status.QUEUED: "clock",
    Status.RUNNING: "pulse",
    Status.PAUSED: "pause",
    Status.COMPLETED: "check",
    Status.FAILED: "alert",
    Status.CANCELLED: "slash",
}
LANGUAGE_LABELS = {
    "zh": gettext_lazy("Chinese"),
    "en": gettext_lazy("English"),
    "ja": gettext_lazy("Japanese"),
    "": gettext_lazy("not stated"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite in base.html; what it means must also be said in words."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.filter
def status_label(status: str) -> str:
    return str(dict(STATUS_LABELS)[status])


@register.filter
def status_icon(status: str) -> str:
    return STATUS_ICONS[Status(status)]


@register.filter
def stage_text(stage: str) -> str:
    return stage_label(stage) if stage else ""


@register.filter
def hint_text(code: str) -> str:
    """What to do about a failure."""
    return hint_for(code)


@register.filter
def language_label(code: str) -> str:
    return str(LANGUAGE_LABELS.get(code, code))


@register.filter
def clock(seconds: float | None) -> str:
    """``75.4`` as ``1:15``."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


@register.filter
def seconds_text(seconds: float | None) -> str:
    """``3.24`` as ``3.2 s``."""
    return "–" if seconds is None else _("%(seconds).1f s") % {"seconds": seconds}


@register.filter
def unlocalized(number: float | str) -> str:
    """A number as HTML attributes and scripts read it, in every language."""
    return str(number)


@register.filter
def percent(share: float) -> int:
    """``0.994`` as ``99``: 100 is for what is finished."""
    return int(share * 100)


@register.filter
def instant(timestamp: float | None) -> datetime.datetime | None:
    """Unix seconds as a moment that templates can format."""
    return None if timestamp is None else datetime.datetime.fromtimestamp(timestamp, datetime.UTC)


@register.filter
def description(voice: Voice) -> str:
    return library.description_text(voice)


@register.filter
def findings(voice: Voice) -> list[str]:
    return library.findings_text(voice)
