"""What language a piece of text is in, by the scripts it is written in."""

import re
from enum import StrEnum

from synthesis.text.scripts import HAN, KANA, LATIN, MARKS


class Language(StrEnum):
    """``ja`` and ``other`` are recognised in order to be refused politely."""

    ZH = "zh"
    EN = "en"
    JA = "ja"
    OTHER = "other"


SPOKEN = frozenset({Language.ZH, Language.EN})
"""The languages engines are given."""

HAN_PER_WORD = 0.75
"""A Chinese character carries about three quarters of an English word."""
KANA_SHARE = 0.1
"""Japanese has at least this much kana among its Han; a decorative の in Chinese stays below."""

_TAG = re.compile(r"<[^<>\n]{1,80}>")
_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile(f"[{KANA}]")
_WORD = re.compile(f"[{LATIN}]+(?:['’][{LATIN}]+)*")
_FOREIGN = re.compile(f"[^\\W\\d_{HAN}{KANA}{LATIN}{MARKS}]+")
_FIRST = re.compile(f"[{HAN}{LATIN}]")


def detect(text: str) -> Language | None:
    """The language most of ``text`` is in; None if it has no letters (numbers, punctuation).

    Chinese characters are weighed against Latin words, so that 我用 Visual Studio Code 写代码 is Chinese
    with more Latin letters than Han. Markup in angle brackets does not count.
    """
    text = _TAG.sub(" ", text)
    han, kana, words = len(_HAN.findall(text)), len(_KANA.findall(text)), len(_WORD.findall(text))
    foreign = sum(map(len, _FOREIGN.findall(text)))
    if not (han or kana or words or foreign):
        return None
    if foreign > han + kana + sum(map(len, _WORD.findall(text))):
        return Language.OTHER
    if kana >= 2 and kana >= KANA_SHARE * (han + kana):
        return Language.JA
    # Who begins in Chinese goes on in Chinese: a sentence's frame is set by its first word.
    weight = 1.0 if _begins_in_chinese(text) else HAN_PER_WORD
    return Language.ZH if han and han * weight >= words else Language.EN


def _begins_in_chinese(text: str) -> bool:
    first = _FIRST.search(text)
    return first is not None and _HAN.match(first.group()) is not None
