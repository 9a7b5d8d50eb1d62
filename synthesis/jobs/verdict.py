"""Whether a replay is the same to the sample, and if not, where it begins to differ and what changed. Pure.

Two recipes are compared (``jobs/recipe.py``): each segment's SHA-256 tells whether its samples are the same;
everything else in them, and the engine's fingerprint beside them, is a possible cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypedDict

Recipe = Mapping[str, Any]

PENDING: Final = {"pending": True}
"""Of a replay that has not come to its end yet."""
ENGINE_CAUSES = (
    ("engine", "engine"),
    ("version", "engine_version"),
    ("weights", "weights"),
    ("device", "device"),
    ("precision", "precision"),
)
"""Key of the fingerprint, and how a verdict calls it."""
SEGMENT_CAUSES = ("text", "pieces", "language", "seed", "speed", "instruct")


class Change(TypedDict):
    """Something that is not as it was. ``what`` is a word of this module, or ``libraries.<name>``."""

    what: str
    before: Any
    after: Any


class Verdict(TypedDict):
    """``segment``: index of the first that differs; null if none does, or if only their joining changed."""

    identical: bool
    segment: int | None
    compared: int
    """Segments whose samples were known before: of a job that failed or was cancelled, not all are."""
    changed: list[Change]


def judge(before: Recipe, after: Recipe) -> Verdict:
    """Compare a replay (``after``) with what it replays (``before``)."""
    old, new = before["segments"], after["segments"]
    index = _first_difference(old, new)
    joining = list(_changes(before, after, [("pause_s", "pause_s"), ("piece_pause_s", "piece_pause_s")]))
    identical = index is None and not joining
    causes = [] if identical else [*_engine(before, after), *_segments(before, after, index), *joining]
    compared = sum(1 for segment in old if segment["sha256"])
    return {"identical": identical, "segment": index, "compared": compared, "changed": causes}


def can_judge(before: Recipe) -> bool:
    """Whether there is any segment to compare with."""
    return any(segment["sha256"] for segment in before["segments"])


def _first_difference(old: list[Recipe], new: list[Recipe]) -> int | None:
    for index, (was, now) in enumerate(zip(old, new, strict=False)):
        if was["sha256"] and was["sha256"] != now["sha256"]:
            return index
    return min(len(old), len(new)) if len(old) != len(new) else None


def _engine(before: Recipe, after: Recipe) -> Iterator[Change]:
    """What changed of engine, weights and machine; nothing if it is unknown what made the first one."""
    was, now = before.get("engine"), after.get("engine")
    if not was or not now:
        return
    yield from _changes(was, now, ENGINE_CAUSES)
    old, new = was.get("libraries", {}), now.get("libraries", {})
    names = sorted({*old, *new})
    yield from _changes(old, new, [(name, f"libraries.{name}") for name in names])


def _segments(before: Recipe, after: Recipe, index: int | None) -> Iterator[Change]:
    """What changed in what the first different segment was made of."""
    old, new = before["segments"], after["segments"]
    if len(old) != len(new):
        yield {"what": "segment_count", "before": len(old), "after": len(new)}
    yield from _changes(before, after, [("mode", "mode")])
    if index is None or index >= min(len(old), len(new)):
        return
    for change in _changes(old[index], new[index], [("voice_sha256", "voice_file")]):
        yield change if change["after"] else {**change, "what": "voice_gone"}
    yield from _changes(old[index], new[index], [(name, name) for name in SEGMENT_CAUSES])


def _changes(was: Recipe, now: Recipe, names: Any) -> Iterator[Change]:
    for name, what in names:
        if was.get(name) != now.get(name):
            yield {"what": what, "before": was.get(name), "after": now.get(name)}
