"""Files with several texts, good and hostile ones."""

from __future__ import annotations

import codecs
import contextlib
import os
import time

import pytest

from synthesis.text import rows
from synthesis.text.rows import Sheet, UnreadableFile

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> {\\an8}there,
dear {listener}.

2
00:00:03,000 --> 00:00:04,000

3
01:02:03,450 --> 01:02:04,000
你好。
"""


def texts(sheet: Sheet) -> list[str]:
    return [row.fields["text"] for row in sheet.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_text_file_has_a_text_per_line(encoding: str, line_end: str) -> None:
    data = line_end.join(["你好，世界。", "", "  ", "Second line.", "=1+1"]).encode(encoding)
    sheet = rows.read(data, "My lines.TXT")
    assert texts(sheet) == ["你好，世界。", "Second line.", "=1+1"]
    assert [row.line for row in sheet.rows] == [1, 4, 5]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_has_named_columns(delimiter: str, encoding: str) -> None:
    lines = [["Text", "note", " speed "], ['"你好, a; b"', "x", "1.5"], ["", "", ""], ["=cmd|' /C calc'!A0", "", ""]]
    quoted = [[cell if cell.startswith('"') else f'"{cell}"' for cell in cells] for cells in lines]
    data = "\r\n".join(delimiter.join(cells) for cells in quoted).encode(encoding)
    sheet = rows.read(data, "a.csv")
    assert (sheet.columns, sheet.ignored) == (["text", "speed"], ["note"])
    assert [row.fields for row in sheet.rows] == [
        {"text": "你好, a; b", "speed": "1.5"},
        {"text": "=cmd|' /C calc'!A0", "speed": ""},
    ]
    assert [row.line for row in sheet.rows] == [2, 4]


def test_a_table_may_have_one_column_short_rows_and_line_ends_in_cells() -> None:
    assert [row.overflows for row in rows.read(b"text\nHello, you.\nHello,,\n", "a.csv").rows] == [True, False]
    assert texts(rows.read(b'text\n"Hello, you."\n', "a.csv")) == ["Hello, you."]
    sheet = rows.read(b'seed,text\n1,"two\nlines"\n2\n3,three\n', "a.csv")
    assert [(row.line, row.fields) for row in sheet.rows] == [
        (2, {"seed": "1", "text": "two\nlines"}),
        (4, {"seed": "2"}),
        (5, {"seed": "3", "text": "three"}),
    ]


def test_subtitles_keep_number_and_times() -> None:
    sheet = rows.read(SRT.encode("utf-8-sig"), "film.srt")
    assert texts(sheet) == ["Hello there, dear {listener}.", "你好。"]
    assert [row.label for row in sheet.rows] == [
        "1 · 0:00:01.000 → 0:00:02.500",
        "3 · 1:02:03.450 → 1:02:04.000",
    ]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"hello", "a.exe", "kind"),
        (b"hello", "", "kind"),
        (b"", "a.txt", "empty"),
        (b" \n\t\n", "a.txt", "empty"),
        (codecs.BOM_UTF8, "a.txt", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.txt", "binary"),
        (b"text\nhel\0lo", "a.csv", "binary"),
        (b"caf\xe9 au lait", "a.txt", "encoding"),
        (b"\xff\xfe\x00", "a.txt", "binary"),
        (b"name,words\na,b", "a.csv", "no_text_column"),
        (b"text\n", "a.csv", "empty"),
        (b'text\n"' + b"x" * 1_000_000, "a.csv", "table"),
        (b"no cue at all", "a.srt", "empty"),
        (b"1\n99:99:99,999 --> never\nx", "a.srt", "empty"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, name: str, code: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        rows.read(data, name)
    assert caught.value.code == code


HOSTILE = {
    "one line": b"x" * 1_000_000,
    "line ends": b"\n" * 1_000_000,
    "quotes": b"text\n" + b'"' * 1_000_000,
    "commas": b"text" + b"," * 1_000_000,
    "times": b"00:00:01,000 --> 00:00:02,000\n" * 33_000,
    "half cues": b"1\n00:00:01,000 --> " * 40_000,
    "digits": b"1\n" * 500_000,
    "noise": os.urandom(1_000_000),
    "high noise": bytes(byte | 0x80 for byte in os.urandom(1_000_000)),
}


@pytest.mark.parametrize("kind", ["txt", "csv", "srt"])
@pytest.mark.parametrize("case", HOSTILE)
def test_no_file_takes_long(case: str, kind: str) -> None:
    began = time.process_time()
    with contextlib.suppress(UnreadableFile):
        rows.read(HOSTILE[case], f"a.{kind}")
    assert time.process_time() - began < 5


def test_one_long_line_is_one_long_text() -> None:
    assert texts(rows.read(b"x" * 1_000_000, "a.txt")) == ["x" * 1_000_000]
