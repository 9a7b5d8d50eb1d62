"""What is asked of a job, checked once for page, API and socket alike."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from django.utils.translation import gettext_lazy as _

from synthesis.errors import InvalidInput
from synthesis.models import User, Voice
from synthesis.text import clean
from synthesis.text import segment as splitter
from synthesis.vocabulary import AudioFormat, Mode

if TYPE_CHECKING:
    from synthesis.errors import Text

MAX_TEXT_CHARS = clean.MAX_TEXT_CHARS
MAX_INSTRUCT_CHARS = 500
MAX_PROMPT_TEXT_CHARS = 1000
MAX_SEGMENT_CHARS = 2 * splitter.MAX_CHARS
"""Of a segment whose text is changed by hand: it is spoken in one go."""
MAX_SEED = 2**53 - 1
"""The largest whole number that JavaScript and JSON readers keep exactly."""
MIN_SPEED, MAX_SPEED = 0.5, 2.0
MIN_PRIORITY, MAX_PRIORITY = -10, 10

_Words = TypeVar("_Words", Mode, AudioFormat)
_WHOLE = re.compile(r"[+-]?\d{1,20}")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A valid request: one text, one seed."""

    text: str
    voice: Voice
    prompt_text: str
    instruct: str
    mode: Mode
    seed: int
    speed: float
    priority: int
    format: AudioFormat
    label: str = ""
    """What the job is within its batch; not part of what decides the samples."""


@dataclass(frozen=True, slots=True)
class SegmentWish:
    """How a segment is to be made again; None: as before (the seed: the next one)."""

    seed: int | None
    text: str | None
    speed: float | None
    instruct: str | None
    voice: Voice | None


def draw_seed() -> int:
    """A fresh seed, short enough to be read aloud."""
    return secrets.randbelow(2**31)


def validate(raw: Mapping[str, object], *, user: User) -> JobSpec:
    """Check the fields of ``generate_audio``; raises InvalidInput naming every wrong field at once."""
    reader = _Reader(raw)
    text = reader.text("text", MAX_TEXT_CHARS, required=True)
    instruct = reader.text("instruct", MAX_INSTRUCT_CHARS)
    prompt_text = reader.text("prompt_text", MAX_PROMPT_TEXT_CHARS)
    voice = reader.voice("prompt_audio", user)
    mode = reader.choice("mode", Mode, Mode.INSTRUCT if instruct else Mode.ZERO_SHOT)
    seed = reader.whole("seed", 0, MAX_SEED, None)
    speed = reader.number("speed", MIN_SPEED, MAX_SPEED, 1.0)
    priority = reader.whole("priority", MIN_PRIORITY, MAX_PRIORITY, 0)
    output_format = reader.choice("format", AudioFormat, AudioFormat.WAV)
    reader.done()
    return JobSpec(
        text=text,
        voice=voice,
        prompt_text=prompt_text or voice.transcript,
        instruct=instruct,
        mode=mode,
        seed=draw_seed() if seed is None else seed,
        speed=speed,
        priority=priority or 0,
        format=output_format,
    )


def segment_wish(raw: Mapping[str, object], *, user: User, longest: int) -> SegmentWish:
    """Check what is to be different; raises InvalidInput naming every wrong field at once.

    ``longest``: characters that the text may have in any case, because it has them now.
    """
    given = {name for name in raw if raw[name] is not None}
    reader = _Reader(raw)
    text = reader.text("text", max(MAX_SEGMENT_CHARS, longest), required=True) if "text" in given else None
    seed = reader.whole("seed", 0, MAX_SEED, None)
    speed = reader.number("speed", MIN_SPEED, MAX_SPEED, None) if given & {"speed"} and raw["speed"] != "" else None
    instruct = reader.text("instruct", MAX_INSTRUCT_CHARS) if "instruct" in given else None
    voice = reader.voice("prompt_audio", user) if raw.get("prompt_audio") else None
    reader.done()
    return SegmentWish(seed=seed, text=text, speed=speed, instruct=instruct, voice=voice)


def speed_value(value: object) -> float:
    """A speed as a control command carries it; raises InvalidInput naming ``value``."""
    reader = _Reader({"value": value})
    speed = reader.number("value", MIN_SPEED, MAX_SPEED, None)
    reader.done()
    return speed


def priority_value(value: object) -> int:
    """A priority as a control command carries it; raises InvalidInput naming ``value``."""
    reader = _Reader({"value": value})
    priority = reader.whole("value", MIN_PRIORITY, MAX_PRIORITY, None, required=True)
    reader.done()
    return priority or 0


def instruct_value(value: object) -> str:
    """An instruction as a control command carries it; raises InvalidInput naming ``value``."""
    reader = _Reader({"value": value})
    instruct = reader.text("value", MAX_INSTRUCT_CHARS)
    reader.done()
    return instruct


def voice_value(value: object, user: User) -> Voice:
    """A voice as a control command carries it; raises InvalidInput naming ``value``."""
    reader = _Reader({"value": value})
    voice = reader.voice("value", user, required=True)
    reader.done()
    return voice


class _Reader:
    """Reads fields one by one and collects what is wrong with each."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self._wrong: dict[str, Text] = {}

    def done(self) -> None:
        if self._wrong:
            first = next(iter(self._wrong.values()))
            raise InvalidInput(first, fields=self._wrong)

    def text(self, name: str, limit: int, *, required: bool = False) -> str:
        value = self._raw.get(name)
        if value is not None and not isinstance(value, str):
            self._wrong[name] = _("This must be text.")
            return ""
        cleaned = clean.clean(value or "").strip()
        if len(cleaned) > limit:
            self._wrong[name] = _("This is %(length)s characters long; at most %(limit)s are possible.") % {
                "length": f"{len(cleaned):,}",
                "limit": f"{limit:,}",
            }
        elif required and not cleaned:
            self._wrong[name] = _("Please enter a text.")
        elif required and not clean.has_speech(cleaned):
            self._wrong[name] = _("This text has nothing that can be spoken.")
        return cleaned

    def whole(self, name: str, low: int, high: int, default: int | None, *, required: bool = False) -> int | None:
        value = self._raw.get(name)
        if (value is None or value == "") and not required:
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._wrong[name] = _("This must be a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
            return default
        return value

    def number(self, name: str, low: float, high: float, default: float | None) -> float:
        value = self._raw.get(name)
        if (value is None or value == "") and default is not None:
            return default
        try:
            number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # TypeError is caught
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high:  # false for NaN too
            self._wrong[name] = _("This must be a number from %(low)s to %(high)s.") % {"low": low, "high": high}
        return number

    def choice(self, name: str, words: type[_Words], default: _Words) -> _Words:
        value = self._raw.get(name)
        if value is None or value == "":
            return default
        try:
            return words(str(value))
        except ValueError:
            self._wrong[name] = _("This must be one of: %(words)s.") % {"words": ", ".join(words)}
            return default

    def voice(self, name: str, user: User, *, required: bool = False) -> Voice:
        """The chosen voice, or the default one (the oldest ready-made voice) unless the choice is required."""
        value = self._raw.get(name)
        visible = Voice.objects.visible_to(user)
        if (value is None or value == "") and not required:
            voice = visible.filter(owner=None).order_by("created_at", "id").first() or visible.first()
            missing = _("There is no voice yet: please create one first.")
        else:
            word = str(value)
            voice = visible.filter(pk=word).first() if word.isalnum() and len(word) <= 16 else None
            missing = _("This voice does not exist.")
        if voice is None:
            self._wrong[name] = missing
            return Voice()
        return voice
