"""The form of a job's log file: the engine's own lines, in no language but its own.

One line is ``<Unix seconds> <level> <stage or -> <message>``; further lines of a message begin with a tab. What
the portal itself has to say is not here but in the job's events, where it can be told in any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from synthesis.outputs import store
from synthesis.vocabulary import Level

SAME_MOMENT_S = 0.01
_FORM = re.compile(rf"(\d+\.\d+) ({'|'.join(Level)}) (\S+) (.*)", re.DOTALL)


class LogLine(NamedTuple):
    """``at`` in Unix seconds; ``stage`` is empty if there was none."""

    at: float
    level: Level
    stage: str
    message: str


class Lines:
    """Lines in order, on their way to a file. Those of one moment, level and stage share a heading: a burst costs less.

    Its lines are then told apart by ``SAME_MOMENT_S`` only.
    """

    def __init__(self) -> None:
        self.groups: list[tuple[LogLine, list[str]]] = []
        """The first line of each group, and the messages of all."""
        self._at, self._level, self._stage = 0.0, Level.DEBUG, ""
        self._messages: list[str] = []

    def add(self, at: float, level: Level, stage: str, message: str) -> None:
        if level is self._level and stage == self._stage and -SAME_MOMENT_S < at - self._at < SAME_MOMENT_S:
            self._messages.append(message)
        else:
            self.extend(at, level, stage, [message])

    def extend(self, at: float, level: Level, stage: str, messages: list[str]) -> None:
        """``messages``, one or more, become a group that this object keeps."""
        self._at, self._level, self._stage, self._messages = at, level, stage, messages
        self.groups.append((LogLine(at, level, stage, messages[0]), messages))

    def __len__(self) -> int:
        return sum(len(messages) for _first, messages in self.groups)

    def __iter__(self) -> Iterator[LogLine]:
        for first, messages in self.groups:
            for message in messages:
                yield first._replace(message=message)

    def encoded(self) -> str:
        return "".join(_encoded(first, messages) for first, messages in self.groups)


def _encoded(first: LogLine, messages: list[str]) -> str:
    heading = f"{first.at:.6f} {first.level} {first.stage or '-'} "
    joined = f"\n{heading}".join(messages)
    if joined.count("\n") >= len(messages):  # a message of several lines
        joined = f"\n{heading}".join(message.replace("\n", "\n\t") for message in messages)
    return f"{heading}{joined}\n"


def read(relative: str) -> Iterator[LogLine]:
    """The lines of a log file, in order; nothing if there is none. One line is in memory at a time."""
    try:
        file = store.open_path(relative).open(encoding="utf-8", errors="replace", newline="\n")
    except FileNotFoundError:
        return
    with file:
        current: LogLine | None = None
        for raw in file:
            text = raw.removesuffix("\n")
            form = _FORM.fullmatch(text)
            if form is None:  # the line goes on, or its beginning was lost with a full disk
                current = _longer(current, text.removeprefix("\t"))
                continue
            if current is not None:
                yield current
            at, level, stage, message = form.groups()
            current = LogLine(float(at), Level(level), "" if stage == "-" else stage, message)
        if current is not None:
            yield current


def _longer(line: LogLine | None, more: str) -> LogLine | None:
    return line and line._replace(message=f"{line.message}\n{more}")
