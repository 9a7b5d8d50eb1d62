"""The verdict on a replay, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

CAUSES: dict[str, str | Promise] = {
    "engine": gettext_lazy("engine"),
    "engine_version": gettext_lazy("engine version"),
    "weights": gettext_lazy("weights"),
    "device": gettext_lazy("device"),
    "precision": gettext_lazy("precision"),
    "voice_file": gettext_lazy("recording of the voice"),
    "voice_gone": gettext_lazy("recording of the voice"),
    "segment_count": gettext_lazy("number of segments"),
    "pause_s": gettext_lazy("pause between segments (s)"),
    "mode": gettext_lazy("mode"),
    "text": gettext_lazy("text"),
    "language": gettext_lazy("language"),
    "seed": gettext_lazy("seed"),
    "speed": gettext_lazy("speed"),
    "instruct": gettext_lazy("instruction"),
}
"""What may have changed, by the words of ``jobs/verdict.py``; libraries have their own names."""
LONGEST_VALUE = 40
HASHES = frozenset({"engine_version", "weights", "voice_file", "voice_gone"})
SHORT_HASH = 10
"""As much as the recipe on a job's page shows."""


def headline(verdict: Mapping[str, Any]) -> str:
    """One sentence."""
    if verdict["identical"]:
        return _("Identical to the sample")
    if verdict["segment"] is None:
        return _("The segments are identical, but they are joined differently")
    return _("Differs from segment %(number)s on") % {"number": verdict["segment"] + 1}


def changes(verdict: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What changed, before and after: possible reasons of a difference."""
    return [
        (
            _cause(change["what"]),
            _shown(change["what"], change["before"]),
            _("gone") if change["what"] == "voice_gone" else _shown(change["what"], change["after"]),
        )
        for change in verdict["changed"]
    ]


def in_full(verdict: Mapping[str, Any]) -> str:
    """The sentence with everything that changed."""
    reasons = [f"{what} {before} → {after}" for what, before, after in changes(verdict)]
    if not reasons:
        return headline(verdict)
    return _("%(verdict)s: %(reasons)s") % {"verdict": headline(verdict), "reasons": "; ".join(reasons)}


def _cause(what: str) -> str:
    return what.removeprefix("libraries.") if what.startswith("libraries.") else str(CAUSES[what])


def _shown(what: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    text = str(value)
    limit = SHORT_HASH if what in HASHES else LONGEST_VALUE
    return text if len(text) <= limit else f"{text[:limit]}…"
