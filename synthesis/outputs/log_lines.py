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

_FORM = re.compile(rf"(\d+\.\d+) ({'|'.join(Level)}) (\S+) (.*)", re.DOTALL)


class LogLine(NamedTuple):
    """``at`` in Unix seconds; ``stage`` is empty if there was none."""

    at: float
    level: Level
    stage: str
    message: str


def encode(line: LogLine) -> str:
    at, level, stage, message = line
    if "\n" in message:
        message = message.replace("\n", "\n\t")
    return f"{at:.6f} {level} {stage or '-'} {message}\n"


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
