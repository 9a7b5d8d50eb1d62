"""Instructions in plain Chinese or English to a handful of numbers.

An instruction is read for words that the tables know. Words of degree before a known word make it stronger or
weaker, words of negation switch it off. What is not understood changes nothing, and a warning says so.
"""

import logging
import re
from dataclasses import fields, replace

from synthesis.engines.embedded.traits import PLAIN, TRAITS, WORDS, Style

logger = logging.getLogger(__name__)

PATTERNS = {trait: re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])") for trait, pattern in WORDS.items()}
NEGATED = re.compile(
    r"(?:(?<![a-z])(?:not|no|never|without|less|don't|do not|isn't)(?: (?:be|too|so|sound|very|at all))*\s*|"
    r"(?:不要|不用|不|别|勿|没有|无)(?:太|那么|很|要|得)?)$"
)
STRONG = re.compile(
    r"(?:(?<![a-z])(?:very|much|really|extremely|so|far|highly)\s*|(?:非常|很|十分|特别|更加|更|极其|极|超级|最)(?:地|的)?)$"
)
MILD = re.compile(
    r"(?:(?<![a-z])(?:slightly|a little|a bit|somewhat|a touch)\s*(?:more )?|"
    r"(?:稍微|稍稍|稍|有点|有些|略微|略|一点点))$"
)
LIMITS = Style(rate=0.6, range=1.6, semitones=7.0, breath=0.6, tilt_db=3.0, gain_db=9.0, whisper=1.0)
"""Largest size of each number after adding up."""


def parse(instruct: str) -> Style:
    """The style an instruction asks for; PLAIN for an empty one. Traits add up, within LIMITS."""
    text = instruct.casefold().replace("\u2019", "'").strip()
    if not text:
        return PLAIN
    found = [scaled(TRAITS[trait], degree) for trait, degree in understood(text)]
    if not found:
        logger.warning("The instruction %r is not understood by this engine and changes nothing.", instruct)
    return limited(found)


def understood(text: str) -> list[tuple[str, float]]:
    """Traits that ``text`` names and does not negate, with their degree."""
    degrees: dict[str, float] = {}
    for trait, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            before = text[: match.start()]
            if not NEGATED.search(before):
                degrees[trait] = max(degrees.get(trait, 0.0), degree_of(before))
    return sorted(degrees.items())


def degree_of(before: str) -> float:
    """How strongly the words before a trait ask for it."""
    if STRONG.search(before):
        return 1.35
    return 0.6 if MILD.search(before) else 1.0


def scaled(style: Style, degree: float) -> Style:
    """The style in another strength; a whisper stays a whisper."""
    values = {f.name: getattr(style, f.name) * degree for f in fields(Style)}
    return replace(Style(**values), whisper=style.whisper)


def limited(styles: list[Style]) -> Style:
    """The sum of ``styles``, every number within LIMITS."""
    sums = {f.name: sum(getattr(style, f.name) for style in styles) for f in fields(Style)}
    bounds = {name: getattr(LIMITS, name) for name in sums}
    return Style(**{name: max(-bounds[name], min(bounds[name], value)) for name, value in sums.items()})
