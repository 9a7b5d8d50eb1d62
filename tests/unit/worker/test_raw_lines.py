"""What was printed becomes lines."""

from __future__ import annotations

import traceback

import pytest

from synthesis.outputs import log_lines, store
from synthesis.outputs.log_lines import Lines, LogLine
from synthesis.vocabulary import Level
from synthesis.worker.raw_lines import MOST_CHARS, LineMaker, level_of, tidy


def made(*texts: str, level: Level = Level.INFO) -> list[LogLine]:
    """Lines out of what was written piece by piece, a tenth of a second apart."""
    maker = LineMaker(level)
    lines = Lines()
    for index, text in enumerate(texts):
        maker.feed(100 + index / 10, "acoustic", text, lines)
    maker.settle(lines)
    return list(lines)


def encoded(*lines: LogLine) -> str:
    together = Lines()
    for line in lines:
        together.add(*line)
    return together.encoded()


def test_pieces_are_put_together() -> None:
    lines = made("one", " two\nthree", "\n", "four")
    assert [line.message for line in lines] == ["one two", "three", "four"]
    assert [round(line.at, 1) for line in lines] == [100.0, 100.1, 100.3]
    assert {line.stage for line in lines} == {"acoustic"}


def test_a_traceback_stays_whole() -> None:
    try:
        int("bad tensor")
    except ValueError:
        printed = traceback.format_exc()
    before, trace, after = made("before\n" + printed + "after\n", level=Level.WARNING)
    assert (before.level, trace.level, after.level) == (Level.WARNING, Level.ERROR, Level.WARNING)
    assert trace.message == printed.rstrip("\n")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("WARNING: low memory", Level.WARNING),
        ("[ERROR] no file", Level.ERROR),
        ("error: no file", Level.ERROR),
        ("DEBUG x", Level.DEBUG),
        ("CRITICAL failure", Level.ERROR),
        ("Warn: soft", Level.WARNING),
        ("Information about it", Level.INFO),
        ("Error handling is off", Level.INFO),
        ("all is well, WARNING none", Level.INFO),
    ],
)
def test_a_line_may_name_its_own_level(text: str, level: Level) -> None:
    assert level_of(text, Level.INFO) == level


def test_colours_and_control_characters_go() -> None:
    assert tidy("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain\x00") == "red and plain\ufffd"
    assert tidy("bad \udcff surrogate") == "bad \ufffd surrogate"


def test_a_progress_bar_is_its_last_state() -> None:
    assert [line.message for line in made(*(f"\r{n} %" for n in range(101)), "\n")] == ["100 %"]
    assert [line.message for line in made(*(f"\r{n:05d} {'#' * 60}" for n in range(2000)))] == [f"01999 {'#' * 60}"]


def test_a_very_long_line_is_cut_and_says_so() -> None:
    (line,) = made("x" * 10_000 + "\n")
    assert line.message == "x" * MOST_CHARS + "… [+6000]"
    endless = made(*(["y" * 1000] * 100))
    assert 5 < len(endless) < 20
    assert all(len(line.message) < MOST_CHARS + 20 for line in endless)


def test_a_line_that_was_only_begun_waits_a_second() -> None:
    maker, lines = LineMaker(Level.INFO), Lines()
    maker.feed(100.0, "", "Loading…", lines)
    maker.settle(lines, 100.5)
    assert not lines
    maker.settle(lines, 101.5)
    assert [line.message for line in lines] == ["Loading…"]


def test_the_file_gives_back_what_was_put_in() -> None:
    lines = [
        LogLine(1766400000.25, Level.INFO, "acoustic", "plain"),
        LogLine(1766400000.5, Level.ERROR, "", "two\nlines, one like a line:\n1766400000.5 INFO - no"),
        LogLine(1766400001.0, Level.DEBUG, "save", ""),
        LogLine(1766400002.0, Level.WARNING, "save", "\t中文"),
    ]
    path = store.log_path("abcdefgh")
    assert list(log_lines.read(path)) == []
    store.append(path, "the end of a torn line\n")
    for line in lines:
        store.append(path, encoded(line))
    assert list(log_lines.read(path)) == lines


def test_lines_of_one_moment_share_their_time_and_nothing_else() -> None:
    burst = [LogLine(100 + number / 1000, Level.INFO, "acoustic", f"line {number}\nmore") for number in range(25)]
    path = store.log_path("abcdefgi")
    store.append(path, encoded(*burst, LogLine(100.025, Level.ERROR, "acoustic", "no"), burst[0]))
    *again, error, late = log_lines.read(path)
    assert [line.message for line in again] == [line.message for line in burst]
    assert all(0 <= said.at - line.at < log_lines.SAME_MOMENT_S for said, line in zip(burst, again, strict=True))
    assert len({line.at for line in again}) == 3
    assert (error.at, error.level) == (100.025, Level.ERROR)
    assert late.at == 100.0
