"""Chinese and English are complete, and no placeholder is lost in translation."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils import translation

from synthesis.web.messages import messages

LOCALE = Path(settings.BASE_DIR) / "locale"
PLACES = re.compile(r"%\(\w+\)(?:\.\d+)?[sdf]|\{\w+\}")
SCRIPTS = Path(settings.BASE_DIR) / "static" / "js"


@pytest.fixture(params=["zh_Hans", "en"])
def catalogue(request: pytest.FixtureRequest) -> polib.POFile:
    return polib.pofile(str(LOCALE / request.param / "LC_MESSAGES" / "django.po"))


def test_everything_is_translated(catalogue: polib.POFile) -> None:
    assert [entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries()] == []


def test_placeholders_are_kept(catalogue: polib.POFile) -> None:
    for entry in catalogue:
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            if text:
                assert set(PLACES.findall(text)) <= set(PLACES.findall(entry.msgid + entry.msgid_plural)), entry.msgid
                assert not entry.msgstr or set(PLACES.findall(entry.msgid)) == set(PLACES.findall(text)), entry.msgid


def test_scripts_only_say_words_that_the_server_knows_and_all_of_them() -> None:
    with translation.override("en"):
        known = messages()
    source = "\n".join(file.read_text() for file in SCRIPTS.rglob("*.js"))
    said = set(re.findall(r"\bt\(\s*\"([\w.]+)\"", source)) | set(re.findall(r"\"(\w+)\"", source))
    families = set(re.findall(r"\bt\(`(\w+)\.\$", source))
    unknown = {key for key in re.findall(r"\bt\(\s*\"([\w.]+)\"", source) if key not in known}
    silent = {key for key in known if key not in said and key.partition(".")[0] not in families}
    assert (unknown, silent) == (set(), set())
