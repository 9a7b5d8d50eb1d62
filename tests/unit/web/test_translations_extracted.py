"""Every sentence in the sources stands, translated, in the Chinese catalogue."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import polib
import pytest

from tests.portal import ROOT


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    """The Chinese catalogue after extraction from the sources as they are now."""
    tree = tmp_path_factory.mktemp("sources")
    for name in ("cosyweb", "synthesis", "templates", "locale"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    command = [sys.executable, "-m", "django", "makemessages", "-l", "zh_Hans", "--no-obsolete"]
    subprocess.run(command, cwd=tree, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
    return polib.pofile(str(tree / "locale/zh_Hans/LC_MESSAGES/django.po"))


def test_every_sentence_is_translated(extracted: polib.POFile) -> None:
    assert [entry.msgid for entry in extracted.untranslated_entries()] == []
    assert [entry.msgid for entry in extracted.fuzzy_entries()] == []
    assert len(extracted) > 300
