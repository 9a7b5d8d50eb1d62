"""A file with several texts to the jobs it asks for. What the file says of a row goes before what the form says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from synthesis.errors import InvalidInput, TooLarge
from synthesis.jobs import spec
from synthesis.jobs.spec import JobSpec
from synthesis.models import User, Voice
from synthesis.text import rows
from synthesis.text.rows import Row, Sheet, UnreadableFile

if TYPE_CHECKING:
    from synthesis.errors import Text

MAX_FILE_BYTES = 1 << 20
MAX_ROWS = 100
DEFAULTS = ("prompt_audio", "prompt_text", "instruct", "mode", "seed", "speed", "priority", "format")
"""Fields of a job that hold for every row that does not say otherwise."""

_PROBLEMS = {
    "kind": _("The file's name must end in .txt, .csv or .srt."),
    "binary": _("This is no text file."),
    "encoding": _("The characters of this file cannot be read; save it as UTF-8."),
    "empty": _("There is no text in this file."),
    "no_text_column": _("The first row must name the columns, and one of them must be “text”."),
    "table": _("This table cannot be read: a quotation mark may be missing."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; ``row`` counts from 0, ``line`` of the file from 1."""

    row: int
    line: int
    field: str
    said: Text


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read: its rows, the jobs of the good ones, and what is wrong with the others."""

    sheet: Sheet
    specs: list[JobSpec] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def check(data: bytes, name: str, defaults: Mapping[str, object], *, user: User) -> Checked:
    """Read a file and check every row; raises InvalidInput or TooLarge for the file or a default as a whole."""
    sheet = _sheet(data, name)
    common = {key: defaults[key] for key in DEFAULTS if defaults.get(key) not in (None, "")}
    # All rows get one seed if nobody says otherwise, as all texts of a list do. This check names a wrong default once.
    common["seed"] = spec.validate({**common, "text": "a"}, user=user).seed
    voices = _Voices(user)
    checked = Checked(sheet)
    for index, row in enumerate(sheet.rows):
        try:
            checked.specs.append(_spec(row, common, voices, user))
        except InvalidInput as problem:
            checked.problems.extend(Problem(index, row.line, *wrong) for wrong in problem.fields.items())
    return checked


def specs_of(checked: Checked) -> list[JobSpec]:
    """The jobs of a file without any problem; raises InvalidInput naming each as ``rows.3.speed``."""
    if checked.problems:
        fields = {
            f"rows.{one.row}.{one.field}": _("Line %(line)s: %(problem)s") % {"line": one.line, "problem": one.said}
            for one in checked.problems
        }
        raise InvalidInput(next(iter(fields.values())), fields=fields)
    return checked.specs


def _sheet(data: bytes, name: str) -> Sheet:
    if len(data) > MAX_FILE_BYTES:
        problem = _("The file is larger than %(limit)s MiB.") % {"limit": MAX_FILE_BYTES >> 20}
        raise TooLarge(problem, fields={"file": problem})
    try:
        sheet = rows.read(data, name)
    except UnreadableFile as unreadable:
        said = _PROBLEMS[unreadable.code]
        raise InvalidInput(said, fields={"file": said}) from None
    if len(sheet.rows) > MAX_ROWS:
        words = {"limit": MAX_ROWS, "count": len(sheet.rows)}
        problem = _("This file has %(count)s texts; at most %(limit)s are possible at once.") % words
        raise InvalidInput(problem, fields={"file": problem})
    return sheet


def _spec(row: Row, common: Mapping[str, object], voices: _Voices, user: User) -> JobSpec:
    if row.overflows:
        problem = _("This row has more cells than there are columns; put a text with separators in quotation marks.")
        raise InvalidInput(problem, fields={"text": problem})
    own: dict[str, object] = {name: value for name, value in row.fields.items() if value}
    if "voice" in own:
        own["prompt_audio"] = voices.find(str(own.pop("voice")))
    try:
        checked = spec.validate({**common, **own}, user=user)
    except InvalidInput as problem:
        fields = {"voice" if name == "prompt_audio" else name: said for name, said in problem.fields.items()}
        raise InvalidInput(problem.message, fields=fields) from None
    return replace(checked, label=row.label)


class _Voices:
    """The voices somebody may use, by id and by name; looked up once."""

    def __init__(self, user: User) -> None:
        self._ids: dict[str, list[str]] = {}
        for pk, name in Voice.objects.visible_to(user).values_list("pk", "name"):
            self._ids[pk] = [pk]
            self._ids.setdefault(_folded(name), []).append(pk)

    def find(self, word: str) -> str:
        """The id of the voice that is meant; raises InvalidInput."""
        found = self._ids.get(word) or self._ids.get(_folded(word), [])
        if len(found) == 1:
            return found[0]
        problem = _("Several voices have this name; use the id.") if found else _("This voice does not exist.")
        raise InvalidInput(problem, fields={"voice": problem})


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
