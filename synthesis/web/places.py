"""Places in the queue in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from synthesis.templatetags.portal import clock


def sentence(position: int, starts_in_s: float | None) -> str:
    """“2 jobs ahead, starts in about 40 s”; without the time if nobody can tell."""
    words = {"count": position, "time": "" if starts_in_s is None else _span(starts_in_s)}
    if position == 0:
        return _("next in line") if not starts_in_s else _("next in line, starts in about {time}").format(**words)
    return (_ahead(position) if starts_in_s is None else _ahead_eta(position)).format(**words)


def messages() -> dict[str, str]:
    """The same for scripts, singular and plural."""
    return {
        "next": _("next in line"),
        "next_eta": _("next in line, starts in about {time}"),
        "ahead.one": _ahead(1),
        "ahead.other": _ahead(2),
        "ahead_eta.one": _ahead_eta(1),
        "ahead_eta.other": _ahead_eta(2),
        "queue_paused": _("The queue is paused."),
        "queue_paused_by": _("The queue is paused by {name}."),
        "queue_pause": _("Pause the queue"),
        "queue_resume": _("Resume the queue"),
    }


def _ahead(count: int) -> str:
    return ngettext("{count} job ahead", "{count} jobs ahead", count)


def _ahead_eta(count: int) -> str:
    return ngettext("{count} job ahead, starts in about {time}", "{count} jobs ahead, starts in about {time}", count)


def _span(seconds: float) -> str:
    return _("{seconds} s").format(seconds=max(1, round(seconds))) if seconds < 60 else clock(seconds)
