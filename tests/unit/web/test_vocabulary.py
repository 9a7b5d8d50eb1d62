"""static/js/vocabulary.js says the same words as synthesis/vocabulary.py."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest
from django.conf import settings

from synthesis import vocabulary

SOURCE = (Path(settings.BASE_DIR) / "static" / "js" / "vocabulary.js").read_text()


@pytest.mark.parametrize(
    "words",
    [
        vocabulary.Status,
        vocabulary.Stage,
        vocabulary.Level,
        vocabulary.Mode,
        vocabulary.Command,
        vocabulary.AudioFormat,
    ],
)
def test_every_set_of_words_is_mirrored(words: type[StrEnum]) -> None:
    block = re.search(rf"export const {words.__name__} = Object\.freeze\(\{{(.*?)\}}\)", SOURCE, re.DOTALL)
    assert block, f"{words.__name__} is missing"
    assert dict(re.findall(r'(\w+): "(\w+)"', block[1])) == {word.name: word.value for word in words}


@pytest.mark.parametrize("name", ["ENDED", "ACTIVE"])
def test_named_sets_of_statuses_are_mirrored(name: str) -> None:
    block = re.search(rf"export const {name} = Object\.freeze\(\[(.*?)\]\)", SOURCE)
    assert block
    assert set(re.findall(r'"(\w+)"', block[1])) == {status.value for status in getattr(vocabulary, name)}
