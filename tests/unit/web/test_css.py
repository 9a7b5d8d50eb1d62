"""Raw colours are in tokens.css alone, and every name that is used is defined there or set by a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

FILES = sorted((Path(settings.BASE_DIR) / "static" / "css").glob("*.css"))
RAW = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:oklch|rgba?|hsla?|oklab)\(")
SET_ELSEWHERE = {"--progress", "--level", "--bar"}


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "tokens.css"], ids=lambda file: file.name)
def test_no_raw_colours(file: Path) -> None:
    assert not RAW.findall(file.read_text())


def test_light_and_both_dark_sets_define_the_same_tokens() -> None:
    tokens = next(file for file in FILES if file.name == "tokens.css").read_text()
    blocks = [
        dict(re.findall(r"(--[\w-]+):\s*(.+?);", body))
        for body in re.findall(r":root(?:\[[^\]]*\]|:not\(\[data-theme\]\))?\s*\{([^}]*)\}", tokens)
        if "--ground" in body
    ]
    assert len(blocks) == 3
    light, chosen_dark, wished_dark = blocks
    assert chosen_dark == wished_dark
    assert set(chosen_dark) <= set(light)


def test_every_used_token_is_defined() -> None:
    sources = "\n".join(file.read_text() for file in FILES)
    defined = set(re.findall(r"(--[\w-]+):", sources)) | SET_ELSEWHERE
    assert set(re.findall(r"var\((--[\w-]+)", sources)) <= defined
