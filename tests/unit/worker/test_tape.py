"""What is said, quickly or not, arrives whole and in order."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import pytest

from synthesis.outputs.log_lines import Lines
from synthesis.vocabulary import Level, Stage
from synthesis.worker.raw_lines import BURST_CHARS, MARK, MOST_CHARS, LineMaker
from synthesis.worker.tape import HURRY_FROM, HURRY_UNTIL, PRINTED, Records, Tape


class Reader:
    """Stands where the journal does: a tape reads nothing of it but the stage."""

    stage: Stage | None = Stage.ACOUSTIC


def heard(tape: Tape) -> list[tuple[str, str]]:
    """What the thread beside makes of it: sources as the tape names them, and texts."""
    tape.collect()
    names = {PRINTED[1]: "out", PRINTED[2]: "err"}
    return [
        (names.get(source, logging.getLevelName(source)), text if isinstance(text, str) else text.decode())
        for _at, source, _stage, text in tape.fresh
    ]


@pytest.fixture
def tape() -> Tape:
    return Tape(Reader())  # type: ignore[arg-type]


@pytest.fixture
def say(tape: Tape) -> Callable[..., None]:
    records = Records([], tape)

    def say(text: object, *values: object, level: int = logging.INFO) -> None:
        records.handle(logging.LogRecord("somelibrary", level, "file", 1, text, values, None))

    return say


def test_without_haste_each_line_is_an_entry(tape: Tape, say: Callable[..., None]) -> None:
    print("printed", file=tape.out)
    say("logged %d", 1)
    print("to error", file=tape.error)
    assert heard(tape) == [("out", "printed\n"), ("INFO", "logged 1"), ("err", "to error\n")]


def test_in_a_burst_printed_lines_and_records_share_an_entry(tape: Tape, say: Callable[..., None]) -> None:
    tape.pace(HURRY_FROM)
    print("one", file=tape.out)
    say("two %s", "2")
    print("three", file=tape.out)
    assert heard(tape) == [("out", f"one\n{MARK}two 2\nthree\n")]


def test_in_a_burst_what_is_not_an_ordinary_record_keeps_its_place(tape: Tape, say: Callable[..., None]) -> None:
    tape.pace(HURRY_FROM)
    print("one", file=tape.out)
    say("two", level=logging.WARNING)
    print("three", file=tape.out)
    print("four", file=tape.error)
    say("five\nin two lines")
    say("six %d", "wrong")
    say(7)
    said = heard(tape)
    assert said[:5] == [
        ("out", "one\n"), ("WARNING", "two"), ("out", "three\n"), ("err", "four\n"), ("INFO", "five\nin two lines"),
    ]  # fmt: skip
    assert [source for source, _ in said[5:]] == ["INFO", "INFO"]
    assert "six" in said[5][1]
    assert said[6][1] == "7"


def test_who_was_slow_to_write_is_not_lost(tape: Tape) -> None:
    tape.pace(HURRY_FROM)
    write = tape.out.write
    tape.collect()
    write("late\n")
    assert heard(tape) == [("out", "late\n")]
    assert heard(tape) == [("out", "late\n")]


def test_pieces_bytes_and_what_is_no_text_are_kept_in_a_burst(tape: Tape) -> None:
    tape.pace(HURRY_FROM)
    tape.out.writelines(["a", "b"])
    tape.out.buffer.write(b"c\n")
    tape.out.write(None)  # type: ignore[arg-type]
    assert heard(tape) == [("out", "ab"), ("out", "c\n"), ("out", "None")]


def test_a_burst_ends_when_few_lines_come(tape: Tape) -> None:
    tape.pace(HURRY_FROM)
    tape.pace(HURRY_UNTIL)
    assert tape.hurried
    print("still hurried", file=tape.out)
    tape.pace(HURRY_UNTIL - 1)
    print("calm", file=tape.out)
    assert heard(tape) == [("out", "still hurried\n"), ("out", "calm\n")]


ODD_LINES = [
    "WARNING: printed", "[error] too", "\x1b[31mred\x1b[0m", "", "   ", "tab\there", "a" * (MOST_CHARS + 5),
    "Traceback (most recent call last):\n  File x\nValueError: y", "50%|####\r100%|########", "中文一行",
]  # fmt: skip


@pytest.mark.parametrize("odd", [[], *([line] for line in ODD_LINES), ODD_LINES])
@pytest.mark.parametrize("marked", [False, True])
def test_a_burst_gives_the_lines_that_its_parts_give(odd: list[str], marked: bool) -> None:
    """Wherever a block ends (never in a marked record: it is one write), and whichever lines need a closer look."""
    draw = random.Random(len(odd))  # noqa: S311 a mixture, no secret
    lines = [f"{MARK if marked and number % 2 else ''}line {number} of a burst" for number in range(200)]
    for line in odd:
        lines.insert(draw.randrange(len(lines)), line)
    one_by_one = made([f"{line}\n" for line in lines])
    assert len(one_by_one) >= 200
    writes = [part for line in lines for part in ([f"{line}\n"] if line[:1] == MARK else [*line, "\n"])]
    for most in (BURST_CHARS + 50, 1500, 4096, 1 << 20):
        blocks = [""]
        for part in writes:
            if len(blocks[-1]) + len(part) > most:
                blocks.append("")
            blocks[-1] += part
        assert made(blocks) == one_by_one


def made(pieces: list[str]) -> list[tuple[Level, str]]:
    maker, lines = LineMaker(Level.INFO), Lines()
    for piece in pieces:
        maker.feed(100.0, "acoustic", piece, lines)
    maker.settle(lines)
    return [(line.level, line.message) for line in lines]
