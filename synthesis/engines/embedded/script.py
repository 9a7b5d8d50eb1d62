"""Text of a segment to runs of one language each, ready for eSpeak.

Pure string work: nothing here speaks or reads files.
"""

import re
import unicodedata
from dataclasses import dataclass

from synthesis.engines.base import TextUnspeakable

VOICES = {"zh": "cmn", "en": "en-us"}
"""Language of a run to eSpeak's base voice. Variants of voices are not repeatable, so none is used."""

MARKUP = re.compile(r"</?[A-Za-z|!][^<>]*>|<\|[^<>]*\|>|\[[^\[\]]*\]|\{[^{}]*\}")
"""Tags such as ``<strong>``, ``<|zh|>``, ``[laughter]``: control signs of other engines, never words."""

LETTER_SCRIPTS = frozenset({"LATIN", "CJK", "GREEK", "MICRO", "MODIFIER", "FEMININE", "MASCULINE", "IDEOGRAPHIC"})
DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk"})
TOKEN = re.compile(
    r"[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[A-Za-z\u00c0-\u024f\u0370-\u03ff][A-Za-z0-9\u00c0-\u024f\u0370-\u03ff'\u2019.\-]*|.",
    re.DOTALL,
)


CLAUSE_SIGN = re.compile(r"(?:(?<!\d)[,;:!?](?=[^\s,;:!?'\")\]])|(?<=\d)[,;:!?](?=[^\s\d,;:!?'\")\]]))")


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one language (``zh`` or ``en``)."""

    language: str
    text: str


def runs_of(text: str, language: str) -> tuple[Run, ...]:
    """Split ``text`` where its script changes; digits and signs go with the run before them.

    Raises TextUnspeakable for a language or a script that the engine cannot speak and for text without words.
    """
    if language not in VOICES:
        raise TextUnspeakable(f"The embedded engine speaks Chinese (zh) and English (en), not {language!r}.")
    clean = readable(text)
    runs: list[Run] = []
    for token in TOKEN.findall(clean):
        spoken = script_of(token) or (runs[-1].language if runs and not token.isdigit() else language)
        if runs and runs[-1].language == spoken:
            runs[-1] = Run(spoken, runs[-1].text + token)
        else:
            runs.append(Run(spoken, token))
    kept = tuple(Run(run.language, numbers(run).strip()) for run in runs if any(map(str.isalnum, run.text)))
    if not kept:
        raise TextUnspeakable("The text holds no words that can be spoken.")
    return kept


def readable(text: str) -> str:
    """Text without markup, emoji and control characters, in compatibility form (NFKC)."""
    plain = unicodedata.normalize("NFKC", MARKUP.sub(" ", text))
    refuse_foreign(plain)
    # Signs of a clause in narrow form only count before a space, and NFKC has just made the wide ones narrow.
    plain = CLAUSE_SIGN.sub(r"\g<0> ", plain)
    kept = (" " if unicodedata.category(c) in DROPPED_CATEGORIES and c != "\u00b0" else c for c in plain)
    return re.sub(r"\s+", " ", "".join(kept)).strip()


def refuse_foreign(text: str) -> None:
    """Raise TextUnspeakable if letters occur that are neither Chinese nor Latin nor Greek."""
    for character in text:
        if not character.isalpha():
            continue
        script = unicodedata.name(character, "UNKNOWN").split(" ")[0].split("-")[0]
        if script in {"HIRAGANA", "KATAKANA"}:
            raise TextUnspeakable("The embedded engine does not speak Japanese; it speaks Chinese and English.")
        if script not in LETTER_SCRIPTS:
            raise TextUnspeakable(
                f"The embedded engine speaks Chinese and English; it cannot read {script.capitalize()} letters."
            )


def script_of(token: str) -> str:
    """``zh``, ``en`` or, for digits, signs and spaces, the empty string."""
    first = token[0]
    if not first.isalpha() and first != "\u3007":
        return ""
    return "zh" if unicodedata.name(first, "").startswith(("CJK", "IDEOGRAPHIC")) else "en"


def numbers(run: Run) -> str:
    """The run's text with what eSpeak misreads in Chinese written out: years, times, points, per cent, minus."""
    if run.language != "zh":
        return run.text
    text = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))|(?<=\d),(?=\d{3},)", "", run.text)
    text = re.sub(r"(?<!\d)(\d{4})(?=年)", lambda m: " ".join(m[1]), text)
    text = re.sub(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)", r"\1点\2分", text)
    text = re.sub(r"(\d+(?:\.\d+)?)\s*%", r"百分之\1", text)
    text = re.sub(r"(\d)\.(\d+)", lambda m: f"{m[1]}点{' '.join(m[2])}", text)
    return re.sub(r"(?<![\d\w])[-−](?=\d)", "负", text)
