"""From what a person wrote to what the language model reads: spoken form, pieces, and the prompt of each mode."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from synthesis.engines.cosyvoice3.tokenizer import END_OF_PROMPT
from synthesis.vocabulary import Mode

SYSTEM = "You are a helpful assistant."

LONGEST = 80
"""A piece gets no longer than this if it is already longer than ENOUGH; in characters (Chinese) or ids (others)."""
ENOUGH = 60
SHORTEST = 20
"""A last piece below this joins the one before."""

STOPS = {"zh": "。？！；：、.?!;", "en": ".?!;:"}
FULL_STOP = {"zh": "。", "en": "."}
CLOSING_QUOTES = '"”'

SpokenForm = Callable[[str], str]
"""Writes numbers, dates, units out as words."""
Count = Callable[[str], int]
"""How many ids a text is."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the language model is given for one segment of text."""

    before: str
    """Comes before every piece; holds the end-of-prompt mark unless the pieces do."""
    pieces: tuple[str, ...]
    """Each is spoken by itself, one after the other."""
    follows_speech: bool
    """True if the model hears the reference's speech tokens before it speaks."""


@lru_cache(maxsize=1)
def chinese_form() -> SpokenForm:
    """The spoken form of text with Chinese in it; 儿 stays where it was written."""
    return _normaliser(remove_erhua=False)


@lru_cache(maxsize=1)
def other_form() -> SpokenForm:
    return _normaliser()


def _normaliser(**options: bool) -> SpokenForm:
    from wetext import Normalizer  # noqa: PLC0415 - loads its rules; who splits without them need not wait

    normalise: SpokenForm = Normalizer(**options).normalize
    return normalise


def script_of(
    text: str,
    mode: Mode,
    count: Count,
    *,
    transcript: str = "",
    instruct: str = "",
    normalise_cross_lingual: bool = False,
) -> Script:
    """The prompt format of ``mode`` around ``text``, so that nobody types special tokens.

    A zero-shot request without a transcript, and an instruct request without an instruction, are spoken cross-lingual:
    the model cannot follow speech whose words it does not know, nor an instruction that is not there.
    As released, text that was asked for cross-lingually is neither normalised nor cut, because its prompt is part of
    it; ``normalise_cross_lingual`` does both first. Empty ``pieces``: there is nothing to say.
    """
    if mode is Mode.INSTRUCT and instruct.strip():
        return Script(f"{SYSTEM} {instruct.strip()}{END_OF_PROMPT}", tuple(pieces_of(text, count)), False)
    if mode is Mode.ZERO_SHOT and transcript.strip():
        return Script(f"{SYSTEM}{END_OF_PROMPT}{transcript.strip()}", tuple(pieces_of(text, count)), True)
    as_released = mode is Mode.CROSS_LINGUAL and not normalise_cross_lingual
    pieces = whole(text) if as_released else pieces_of(text, count)
    return Script("", tuple(f"{SYSTEM}{END_OF_PROMPT}{piece}" for piece in pieces), False)


def whole(text: str) -> list[str]:
    """The text as one piece, none if there is nothing in it to say."""
    return [text] if is_speakable(text.strip()) else []


def pieces_of(
    text: str, count: Count, *, chinese: SpokenForm | None = None, other: SpokenForm | None = None
) -> list[str]:
    """``text`` in spoken form, cut into pieces for the model.

    Text that holds special tokens (``<|`` and ``|>``) is left as it is. ``chinese`` and ``other`` replace the
    normaliser of either branch.
    """
    if "<|" in text and "|>" in text:
        return [text]
    text = text.strip()
    if any("\u4e00" <= character <= "\u9fff" for character in text):
        pieces = split_paragraph(tidy_chinese((chinese or chinese_form())(text)), "zh", len)
    elif text:
        pieces = split_paragraph(spelled_digits((other or other_form())(text)), "en", count)
    else:
        pieces = []
    return [piece for piece in pieces if is_speakable(piece)]


def tidy_chinese(text: str) -> str:
    """Chinese text in the few marks the model was taught.

    Every dot becomes a full stop, those inside numbers too: the normaliser has already spoken the numbers it knows.
    """
    text = without_needless_blanks(text.replace("\n", ""))
    for old, new in (("²", "平方"), ("³", "立方"), (".", "。"), (" - ", "，"), ("——", " ")):
        text = text.replace(old, new)
    text = re.sub(r"[（）【】`]", "", text)
    return re.sub(r"[，,、]+$", "。", text)


def without_needless_blanks(text: str) -> str:
    """Only blanks between two characters of ASCII stay."""
    kept = []
    for index, character in enumerate(text):
        around = (text[index - 1 : index], text[index + 1 : index + 2])
        if character != " " or all(near.isascii() and near not in ("", " ") for near in around):
            kept.append(character)
    return "".join(kept)


def spelled_digits(text: str) -> str:
    """Every run of digits as English words: ``42`` to ``forty-two``; a run too long for a number digit by digit."""
    runs = ("".join(run) for _, run in groupby(text, key=str.isdigit))
    return "".join(_spelled(run) if run.isdigit() else run for run in runs)


@lru_cache(maxsize=1024)
def _spelled(digits: str) -> str:
    import inflect  # noqa: PLC0415 - slow to import, and text rarely has digits left

    words = inflect.engine()
    try:
        return str(words.number_to_words(digits))
    except inflect.NumOutOfRangeError:
        return str(words.number_to_words(digits, group=1)).replace(",", "")


def split_paragraph(text: str, language: str, count: Count) -> list[str]:
    """Cut at every stop, then join again up to LONGEST. ``language``: ``zh``, or ``en`` for every other."""
    if not text:
        return []
    if text[-1] not in STOPS[language]:
        text += FULL_STOP[language]
    merged: list[str] = []
    current = ""
    for sentence in sentences(text, STOPS[language]):
        if count(current + sentence) > LONGEST and count(current) > ENOUGH:
            merged.append(current)
            current = ""
        current += sentence
    if not current:
        return merged
    if merged and count(current) < SHORTEST:
        merged[-1] += current
    else:
        merged.append(current)
    return merged


def sentences(text: str, stops: str) -> list[str]:
    """The text cut after every stop; a closing quote belongs to what it closes, a stop that ends nothing is lost."""
    found: list[str] = []
    start = 0
    for index, character in enumerate(text):
        if character not in stops:
            continue
        if index > start:
            found.append(text[start : index + 1])
        start = index + 1
        if found and text[start : start + 1] and text[start] in CLOSING_QUOTES:
            found[-1] += text[start]
            start += 1
    return found


def is_speakable(piece: str) -> bool:
    """False for a piece of punctuation and symbols alone."""
    return any(unicodedata.category(character)[0] not in "PS" for character in piece)
