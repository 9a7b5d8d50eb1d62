"""How long a text takes to say, and whether what was made of it can be the whole of it."""

import re
from enum import StrEnum

from synthesis.text.scripts import HAN, KANA

HAN_PER_S = 4.5
"""Mandarin at reading pace, 4 to 5 syllables a second; one character is one syllable."""
LETTERS_PER_S = 15.0
"""English at 170 words a minute, spaces included."""
DIGITS_PER_S = 3.2
"""A digit is nearly a word in either language, less when digits form numbers."""
CLAUSE_PAUSE_S = 0.18
SENTENCE_PAUSE_S = 0.4
LEAST_SHARE, MOST_SHARE = 0.4, 4.0
"""Of the estimate. The embedded engine, which leaves out and adds nothing, lies between 0.62 (told to hurry) and 2.9
(told to take its time over long numbers)."""
JUDGED_FROM_S = 1.5
"""Shorter texts are too uneven to say anything of."""

_HAN = re.compile(f"[{HAN}{KANA}]")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(f"[^\\W\\d_{HAN}{KANA}]")
_WORD_GAP = re.compile(r"(?<=\w)[ ](?=\w)")
_CLAUSE = re.compile(r"[，、：,:;—]+(?!\w)|[，、：]+")
_SENTENCE = re.compile(r"[。！？；…!?]+|\.+(?!\w)|\n+")


def estimate_duration_s(text: str, *, speed: float = 1.0) -> float:
    """Seconds ``text`` takes at ``speed`` (2.0 is twice as fast), right to about a quarter for prose.

    Never for a limit. 0.0 if nothing is spoken.
    Raises ValueError if ``speed`` is not positive.
    """
    if speed <= 0:
        raise ValueError("speed must be positive")
    sound_s = (
        len(_HAN.findall(text)) / HAN_PER_S
        + (len(_LETTER.findall(text)) + len(_WORD_GAP.findall(text))) / LETTERS_PER_S
        + len(_DIGIT.findall(text)) / DIGITS_PER_S
    )
    if sound_s == 0:
        return 0.0
    pauses_s = len(_CLAUSE.findall(text)) * CLAUSE_PAUSE_S + len(_SENTENCE.findall(text)) * SENTENCE_PAUSE_S
    return (sound_s + pauses_s) / speed


class OddLength(StrEnum):
    SHORT = "segment_short"
    """Words may be missing."""
    LONG = "segment_long"
    """Words may be repeated, or others added."""


def odd_length(text: str, duration_s: float, *, speed: float = 1.0) -> OddLength | None:
    """What is to be suspected of speech that was made of ``text``, going by its length alone; None: nothing."""
    expected_s = estimate_duration_s(text, speed=speed)
    if expected_s < JUDGED_FROM_S or LEAST_SHARE <= duration_s / expected_s <= MOST_SHARE:
        return None
    return OddLength.SHORT if duration_s < expected_s else OddLength.LONG
