"""How long a text takes to say, before anybody has said it."""

import re

from synthesis.text.language import Language, detect
from synthesis.text.scripts import HAN, KANA

HAN_PER_S = 4.5
"""Mandarin at reading pace, 4 to 5 syllables a second; one character is one syllable."""
LETTERS_PER_S = 15.0
"""English at 170 words a minute, spaces included."""
DIGITS_PER_S = 3.2
"""A digit is nearly a word in either language, less when digits form numbers."""
CLAUSE_PAUSE_S = 0.18
SENTENCE_PAUSE_S = 0.4

_HAN = re.compile(f"[{HAN}{KANA}]")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(f"[^\\W\\d_{HAN}{KANA}]")
_WORD_GAP = re.compile(r"(?<=\w)[ ](?=\w)")
_CLAUSE = re.compile(r"[，、：,:;—]+(?!\w)|[，、：]+")
_SENTENCE = re.compile(r"[。！？；…!?]+|\.+(?!\w)|\n+")


def estimate_duration_s(text: str, *, speed: float = 1.0) -> float:
    """Seconds ``text`` takes at ``speed`` (2.0 is twice as fast), right to about a quarter for prose.

    For announcements ("about two minutes") and queue estimates, never for a limit. 0.0 if nothing is spoken.
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


def chars_per_second(text: str) -> float:
    """The pace of the language ``text`` is mainly in, in characters a second at speed 1."""
    return HAN_PER_S if detect(text) in (Language.ZH, Language.JA) else LETTERS_PER_S
