"""What is said while a job runs, on its way from who says it to the thread beside that writes it down.

An engine's thread runs into nothing else, so it is as little as possible: a line is one entry of a deque. In a burst
even that is too much. Then whatever is printed is put on a pile piece by piece, in C, and records of level INFO are put
between the pieces, each behind a mark. The order stays; the time of a line is when the pile was collected.
"""

from __future__ import annotations

import io
import logging
import threading
import time
from collections import deque
from typing import Any, BinaryIO, cast

from synthesis.vocabulary import Stage
from synthesis.worker.journal import Journal
from synthesis.worker.raw_lines import MARK

PRINTED = {1: -1, 2: -2}
SPOOLED = {1: -3, 2: -4}
"""Sources by descriptor: what came through Python's streams, and what through the descriptors themselves. A line begun
in Python is not gone on with in C. A record's source is its level, 0 or more."""
BLOCK_CHARS = 8192
"""Of a burst, looked at as one: some 150 lines."""
HURRY_FROM, HURRY_UNTIL = 300, 100
"""Lines between two looks of the thread beside."""
ENGINE_LOGGERS = "synthesis.engines"
OWN_LOGGERS = frozenset({"synthesis", "cosyweb", "django", "rq", "redis", "channels", "channels_redis", "asyncio"})
"""The worker's own: they go on to the console. An engine is no part of the worker."""
_INFO = logging.INFO

Heard = tuple[float, int, Stage | None, str | bytes]
"""When, source, stage, text."""


class Tape:
    """Takes records and printed text from any thread; one thread takes what it has from ``fresh``."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.fresh: deque[Heard] = deque()
        self.hurried = False
        self.pile: list[str | Heard] = []
        """In a burst: pieces of what is printed, with marked records and other entries between them. ``out.write`` is
        then this list's ``append``: it takes anything and returns nothing."""
        self._before: list[str | Heard] = []
        self._taken = 0
        self._collecting = threading.Lock()
        self.out, self.error = _stream(_Raw(1, self)), _stream(_Raw(2, self))

    def hear(self, source: int, text: str | bytes) -> None:
        if text:
            self._put((time.time(), source, self._journal.stage, text))

    def record(self, record: logging.LogRecord) -> None:
        self._put((record.created, record.levelno, self._journal.stage, _text(record)))

    def collect(self) -> None:
        """Whatever was said until now goes on to ``fresh``."""
        self.out.flush()
        self.error.flush()
        with self._collecting:
            if self.hurried:
                self._next_pile()

    def pace(self, lines: int) -> None:
        """Hurry or not, by the number of lines since the last look."""
        with self._collecting:
            if self.hurried and lines < HURRY_UNTIL:
                del self.out.write
                self.hurried = False
                self._next_pile()
            elif not self.hurried and lines >= HURRY_FROM:
                self.out.flush()
                self.out.write = self.pile.append  # type: ignore[method-assign, assignment]
                self.hurried = True

    def _put(self, heard: Heard) -> None:
        (self.pile if self.hurried else self.fresh).append(heard)

    def _next_pile(self) -> None:
        pile, self.pile = self.pile, []
        if self.hurried:
            self.out.write = self.pile.append  # type: ignore[method-assign, assignment]
        # Who was about to write when the piles changed has written to the one before.
        self._go_on(self._before[self._taken :])
        self._taken = len(pile)
        self._go_on(pile[: self._taken])
        self._before = pile

    def _go_on(self, pile: list[str | Heard]) -> None:
        try:
            self._go_on_printed("".join(cast(list[str], pile)), time.time())  # the usual case
        except TypeError:
            pieces: list[str] = []
            for one in pile:
                if isinstance(one, tuple):
                    self._go_on_printed("".join(pieces), one[0])
                    pieces.clear()
                    self.fresh.append(one)
                else:
                    pieces.append(str(one))
            self._go_on_printed("".join(pieces), time.time())

    def _go_on_printed(self, text: str, at: float) -> None:
        """In blocks that end with a line, if one ends there: none is cut within a marked record."""
        stage, start = self._journal.stage, 0
        while start < len(text):
            end = text.rfind("\n", start, start + BLOCK_CHARS) + 1 or text.find("\n", start) + 1 or len(text)
            self.fresh.append((at, PRINTED[1], stage, text[start:end]))
            start = end


class _Raw(io.RawIOBase):
    """Below ``sys.stdout`` and ``sys.stderr``: one call a line; the rest is done in C above it."""

    def __init__(self, target: int, tape: Tape) -> None:
        self._target = target
        self._source = PRINTED[target]
        self._tape = tape

    def write(self, data: Any) -> int:
        self._tape.hear(self._source, data)
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """For children that inherit it: it leads into the spool."""
        return self._target


def _stream(raw: _Raw) -> io.TextIOWrapper:
    # As its buffer: a lock and a copy less. It takes whatever it is given at once.
    return io.TextIOWrapper(cast(BinaryIO, raw), "utf-8", "replace", newline="\n", line_buffering=True)


class Records(logging.Handler):
    """In the root's place: the portal's own records go on to its handlers, all others to the tape."""

    def __init__(self, handlers: list[logging.Handler], tape: Tape) -> None:
        super().__init__()
        self.before = handlers
        self._tape = tape
        self._own: dict[str, bool] = {}

    def handle(self, record: logging.LogRecord) -> bool:
        # Not ``emit``: its lock would make threads wait for each other, and a deque needs none.
        own = self._own.get(record.name)
        if own is None:
            own = self._own[record.name] = is_own(record.name)
        if not own:
            # In a burst without a further call: each takes longer than what it does.
            if self._tape.hurried and record.levelno == _INFO and record.exc_info is None:
                try:
                    text = record.msg % record.args if record.args else record.msg
                    ordinary = text.isprintable()
                except Exception:  # noqa: BLE001 no text, or not for these arguments: ``record`` makes a line of it
                    ordinary = False
                if ordinary:
                    self._tape.pile.append(f"{MARK}{text}\n")
                    return True
            self._tape.record(record)
            return True
        for handler in self.before:
            if record.levelno >= handler.level:
                handler.handle(record)
        return True


def _text(record: logging.LogRecord) -> str:
    """Formatted at once: what it speaks of may change, and must not be kept alive."""
    try:
        text = str(record.msg)
        if record.args:
            text = text % record.args
    except Exception:  # noqa: BLE001 a wrong placeholder, or whatever an object's own text raises, ends no job
        text = f"{record.msg!r} {type(record.args).__name__}"
    if record.exc_info:
        text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
    return text


def is_own(name: str) -> bool:
    """Whether a logger speaks of the worker and not of its engine."""
    if name == ENGINE_LOGGERS or name.startswith(f"{ENGINE_LOGGERS}."):
        return False
    return name.partition(".")[0] in OWN_LOGGERS
