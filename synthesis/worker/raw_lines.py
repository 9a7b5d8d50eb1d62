"""From what was printed, in pieces and with a terminal in mind, to lines with a level. Pure."""

from __future__ import annotations

import re

from synthesis.outputs.log_lines import Lines
from synthesis.vocabulary import Level

MOST_CHARS = 4000
"""Of one line; what is longer is cut and says so."""
MOST_LINES = 200
"""Of one message: a traceback that does not end is cut in two."""
BURST_CHARS = 1000
"""More than this in one go is looked at as a whole first."""
QUIET_S = 1.0
"""The beginning of a line is taken for a whole one when nothing has followed for this long."""

MARK = "\x1e"
"""Before a record of level INFO that stands between printed lines (worker/tape.py)."""
_TRACEBACK = "Traceback (most recent call last):"
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_COLOURS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n\r])")
_WORDS = {
    "DEBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "WARN": Level.WARNING,
    "WARNING": Level.WARNING,
    "ERROR": Level.ERROR,
    "FATAL": Level.ERROR,
    "CRITICAL": Level.ERROR,
}
_NAMES = "|".join(sorted(_WORDS, key=len, reverse=True))
_FIRST = frozenset("DIWEFCdiwefc[(<")
"""A level word begins with one of these: most lines do not, and need no closer look."""
_LEVEL = re.compile(rf"[\[(<]?(?:({_NAMES})\b|((?i:{_NAMES}))[\])>]?:)")
_TELLING_FIRST = _FIRST | set(" T")
_TELLING = re.compile(rf"^(?:\s|{re.escape(_TRACEBACK)}|{_LEVEL.pattern})", re.MULTILINE)
"""How a printed line begins whose level, or whose end, its first characters may tell."""


def tidy(text: str) -> str:
    """A line, or a few, as they are kept: no colours, nothing a database refuses, and of bounded length."""
    if text.isprintable() and len(text) <= MOST_CHARS:  # the usual case, known quickly
        return text
    if _ODD.search(text):
        text = _OVERWRITTEN.sub("", _COLOURS.sub("", text)).replace("\r", "")
        text = _ODD.sub("\ufffd", text)
    if len(text) > MOST_CHARS:
        text = "\n".join(_cut(line) for line in text.split("\n")[:MOST_LINES])
    return text


def level_of(text: str, otherwise: Level) -> Level:
    """The level that a printed line names itself at its beginning, or ``otherwise``."""
    word = _LEVEL.match(text) if text[:1] in _FIRST else None
    return _WORDS[(word[1] or word[2]).upper()] if word else otherwise


def _cut(line: str) -> str:
    return line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS]}… [+{len(line) - MOST_CHARS}]"


def plain_lines(text: str) -> list[str] | None:
    """The lines of a burst, if none of them needs a closer look; a few calls for all of them. ``text`` ends a line."""
    text = text.removeprefix(MARK).replace(f"\n{MARK}", "\n")
    lines = text[:-1].split("\n")
    if "" in lines or not "".join(lines).isprintable() or max(map(len, lines)) > MOST_CHARS:
        return None
    telling = not _TELLING_FIRST.isdisjoint(line[0] for line in lines) and _TELLING.search(text)
    return None if telling else lines


class LineMaker:
    """Puts together what is written to one stream. Tracebacks stay whole."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._begun = ""
        self._at = self._written_at = 0.0
        self._stage = ""
        self._traceback: list[str] = []

    def feed(self, at: float, stage: str, text: str, lines: Lines) -> None:
        """Take what was written, with marked records between it, and add the lines that are whole now to ``lines``."""
        if len(text) > BURST_CHARS:
            text = self._feed_plain(at, stage, text, lines)
        printed, *marked = text.split(MARK) if MARK in text else (text,)
        if printed:
            self._feed_printed(at, stage, printed, lines)
        for piece in marked:
            record, _, printed = piece.partition("\n")
            lines.add(at, Level.INFO, stage, tidy(record))
            if printed:
                self._feed_printed(at, stage, printed, lines)

    def _feed_plain(self, at: float, stage: str, text: str, lines: Lines) -> str:
        """Take the whole lines of a burst if that is easy; what remains."""
        end = text.rfind("\n") + 1
        whole = None if self._traceback or not end else plain_lines(self._begun + text[:end])
        if whole is None:
            return text
        lines.extend(at, self._level, stage, whole)
        self._begun = ""
        return text[end:]

    def _feed_printed(self, at: float, stage: str, text: str, lines: Lines) -> None:
        if not self._begun and not self._traceback:
            self._at, self._stage = at, stage
            if text.find("\n") == len(text) - 1:  # the usual case, one whole line
                self._line(text[:-1], lines)
                return
        self._written_at = at
        if "\n" not in text:
            self._begun += text
            if len(self._begun) > 2 * MOST_CHARS:
                self._shorten(lines)
            return
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._line(line, lines)
            if not self._traceback:
                self._at, self._stage = at, stage

    def settle(self, lines: Lines, now: float | None = None) -> None:
        """Take what was begun for whole: at the end, or at ``now`` if nothing followed for a while."""
        if now is not None and now - self._written_at < QUIET_S:
            return
        if self._begun:
            begun, self._begun = self._begun, ""
            self._line(begun, lines)
        if self._traceback:
            self._end_traceback(lines)

    def _shorten(self, lines: Lines) -> None:
        """A progress bar that only overwrites itself keeps its newest state; anything else becomes a line."""
        before, overwritten, newest = self._begun.rpartition("\r")
        if overwritten and (newest or before):
            self._begun = newest or before.rpartition("\r")[2]
        if len(self._begun) > 2 * MOST_CHARS:
            self._line(self._begun, lines)
            self._begun = ""

    def _line(self, text: str, lines: Lines) -> None:
        text = tidy(text)
        if self._traceback:
            self._traceback.append(text)
            goes_on = not text or text[0].isspace()
            if not goes_on or len(self._traceback) >= MOST_LINES:
                self._end_traceback(lines)
        elif text.startswith(_TRACEBACK):
            self._traceback.append(text)
        elif text and not text.isspace():
            lines.add(self._at, level_of(text, self._level), self._stage, text)

    def _end_traceback(self, lines: Lines) -> None:
        lines.add(self._at, Level.ERROR, self._stage, "\n".join(self._traceback))
        self._traceback = []
