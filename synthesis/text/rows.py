"""Files with several texts: lines of a text file, rows of a table (CSV), cues of subtitles (SRT)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import pysubs2
from pysubs2.time import ms_to_str

COLUMNS = ("text", "voice", "instruct", "seed", "speed", "format", "priority")
"""Of a table. Others are passed over; only ``text`` must be there."""
DELIMITERS = (",", ";", "\t", "|")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")  # \x1a ends files of old systems
_SUBTITLE_TAG = re.compile(r"\{\\[^{}]*\}|</?[A-Za-z][^<>\n]{0,80}>")


class Kind(StrEnum):
    """What a file is, by the ending of its name."""

    TXT = "txt"
    CSV = "csv"
    SRT = "srt"


class UnreadableFile(ValueError):
    """``code``: ``kind``, ``binary``, ``encoding``, ``empty``, ``no_text_column`` or ``table``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Row:
    """One text to be; ``fields`` are as written, unchecked. ``line`` counts from 1."""

    line: int
    fields: dict[str, str]
    label: str = ""
    overflows: bool = False
    """It has more cells than the table has columns: a text with a delimiter that is not in quotes."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds."""

    kind: Kind
    encoding: str
    columns: list[str]
    ignored: list[str] = field(default_factory=list)
    """Columns of the file that mean nothing here."""
    rows: list[Row] = field(default_factory=list)


def read(data: bytes, name: str) -> Sheet:
    """The rows of a file; raises UnreadableFile. Takes under 2 s for the worst MiB."""
    ending = name.rpartition(".")[2].lower()
    if ending not in set(Kind):
        raise UnreadableFile("kind")
    kind = Kind(ending)
    text, encoding = decode(data)
    sheet = _READERS[kind](text, encoding)
    if not sheet.rows:
        raise UnreadableFile("empty")
    return sheet


def decode(data: bytes) -> tuple[str, str]:
    """Text and its encoding: UTF-8, UTF-16 with its mark, or GB18030; raises UnreadableFile.

    GB18030 is what is left when it is not UTF-8, and takes a few other encodings for its own: the preview shows it.
    """
    guesses = ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in guesses:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROLS.search(text):
            raise UnreadableFile("binary")
        return text, encoding.removesuffix("-sig")
    raise UnreadableFile("binary" if b"\0" in data else "encoding")


def _lines(text: str, encoding: str) -> Sheet:
    """A text per line that is not empty. Only real line ends cut: a form feed or U+2028 is part of a text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rows = [Row(number, {"text": line.strip()}) for number, line in enumerate(lines, 1) if line.strip("\x1a \t\u3000")]
    return Sheet(Kind.TXT, encoding, ["text"], rows=rows)


def _table(text: str, encoding: str) -> Sheet:
    """The first row names the columns; empty rows are passed over."""
    records = _records(text, _delimiter(text))
    header = [name.strip().lower() for name in next(records, (0, [""]))[1]]
    if "text" not in header:
        raise UnreadableFile("no_text_column")
    columns = [name for name in header if name in COLUMNS]
    rows = []
    for line, cells in records:
        fields = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
        rows.append(Row(line, fields, overflows=any(cell.strip() for cell in cells[len(header) :])))
    return Sheet(Kind.CSV, encoding, columns, [name for name in header if name and name not in COLUMNS], rows)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text.rstrip("\x1a"), newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:  # a cell of over 128 KiB
        raise UnreadableFile("table") from None


def _delimiter(text: str) -> str:
    """The one that finds most of our columns in the first line."""
    first = text.lstrip().partition("\n")[0][:4096].lower()

    def known(delimiter: str) -> int:
        return len({cell.strip(' "\r') for cell in first.split(delimiter)} & set(COLUMNS))

    return max(DELIMITERS, key=known)  # the first of equals


def _subtitles(text: str, encoding: str) -> Sheet:
    """A text per cue, on one line, without markup. The label has the cue's number and times."""
    try:
        cues = pysubs2.SSAFile.from_string(text, format_="srt", keep_html_tags=True)
    except (pysubs2.Pysubs2Error, ValueError, OverflowError):
        raise UnreadableFile("empty") from None
    rows = []
    for number, cue in enumerate(cues, 1):
        words = " ".join(_SUBTITLE_TAG.sub("", cue.text.replace("\\N", " ")).split())
        if words:
            times = f"{ms_to_str(cue.start, fractions=True)} → {ms_to_str(cue.end, fractions=True)}"
            rows.append(Row(number, {"text": words}, f"{number} · {times}"))
    return Sheet(Kind.SRT, encoding, ["text"], rows=rows)


_READERS = {Kind.TXT: _lines, Kind.CSV: _table, Kind.SRT: _subtitles}
