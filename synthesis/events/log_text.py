"""The portal's own log lines in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop

TEXTS = {
    "reference_low_sample_rate": gettext_noop("Input audio sample rate is %(rate_khz)skHz, recommend 16kHz"),
    "reference_clipped": gettext_noop(
        "The reference audio is clipped: %(percent)s %% of its samples are at full scale"
    ),
    "reference_quiet": gettext_noop("The reference audio is very quiet: %(level_dbfs)s dBFS"),
    "reference_narrow_band": gettext_noop("The reference audio holds nothing above 4 kHz, like a telephone"),
    "reference_long_silence": gettext_noop(
        "The reference audio has long silence: %(leading_s)s s before, %(trailing_s)s s after"
    ),
    "reference_noisy": gettext_noop("The reference audio is noisy"),
    "engine_loading": gettext_noop("Loading the engine"),
    "reference_ready": gettext_noop("Reference features of “%(voice)s” are ready (%(seconds)s s)"),
    "segment_started": gettext_noop("Segment %(number)s of %(total)s: %(text)s"),
    "segment_finished": gettext_noop("Segment %(number)s finished: %(duration)s s of audio in %(compute)s s"),
    "segment_short": gettext_noop(
        "Segment %(number)s is unusually short for its text: %(duration)s s instead of about %(expected)s s"
    ),
    "segment_long": gettext_noop(
        "Segment %(number)s is unusually long for its text: %(duration)s s instead of about %(expected)s s"
    ),
    "segment_dropped": gettext_noop("Segment %(number)s is made again with what was changed"),
    "segment_kept": gettext_noop("%(count)s finished segments are kept from before"),
    "output_written": gettext_noop("Wrote %(name)s (%(size)s KiB)"),
    "memory_ran_out": gettext_noop("Memory ran out at segment %(number)s: %(reason)s"),
    "segment_in_pieces": gettext_noop(
        "Memory is freed; segment %(number)s is made once more, in %(count)s smaller pieces"
    ),
    "database_lost": gettext_noop(
        "The database was away; after %(seconds)s s the job goes on with its unfinished segments"
    ),
    "lines_skipped": gettext_noop("… %(grouped)s more lines are in the full log"),
    "log_incomplete": gettext_noop("%(grouped)s lines are missing in the full log: %(reason)s"),
}
"""By the code that is stored (``facts.Logged``); translated when somebody reads it."""


def log_text(code: str, values: Mapping[str, Any]) -> str:
    """One line, in the active language."""
    return gettext(TEXTS[code]) % {**values, **_derived(values)}


def _derived(values: Mapping[str, Any]) -> dict[str, str]:
    """Numbers as people write them."""
    derived = {}
    if "sample_rate_hz" in values:
        derived["rate_khz"] = f"{values['sample_rate_hz'] / 1000:g}"
    if "count" in values:
        derived["grouped"] = f"{values['count']:,}"
    if "share" in values:
        derived["percent"] = f"{values['share'] * 100:.1f}"
    return derived
