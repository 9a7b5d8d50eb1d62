"""Which of an engine's lines become events: a bounded number, the earliest of each look."""

from __future__ import annotations

import time

from synthesis.outputs.log_lines import LogLine

MOST_AT_ONCE = 50
"""Lines that become events in one flush of the journal, at most; the file has all. Warnings and errors are counted by
themselves: no burst of other lines may hide them."""
MOST_A_SECOND = 8
"""Lines that become events in the long run: nobody reads faster, and each costs a row and a frame per reader."""


class Kept:
    """The first lines of one kind since the last look, and how many of them may become events."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self._dropped = 0
        self._budget, self._picked_at = float(MOST_AT_ONCE), time.monotonic()

    @property
    def waiting(self) -> bool:
        return bool(self.lines or self._dropped)

    def add(self, first: LogLine, messages: list[str]) -> None:
        room = MOST_AT_ONCE - len(self.lines)
        self.lines += [first._replace(message=message) for message in messages[:room]]
        self._dropped += max(len(messages) - room, 0)

    def pick(self) -> list[LogLine]:
        """As many as the budget allows, the earliest; the others are dropped."""
        now = time.monotonic()
        self._budget = min(float(MOST_AT_ONCE), self._budget + (now - self._picked_at) * MOST_A_SECOND)
        self._picked_at = now
        picked = self.lines[: int(self._budget)]
        self._budget -= len(picked)
        self._dropped += len(self.lines) - len(picked)
        self.lines = []
        return picked

    def give_up(self) -> int:
        """How many were dropped since this was last asked."""
        dropped, self._dropped = self._dropped, 0
        return dropped
