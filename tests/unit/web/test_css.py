"""Raw colours are in tokens.css alone, every name that is used is defined, and text can be read on every ground."""

from __future__ import annotations

import math
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


TOKENS = next(file for file in FILES if file.name == "tokens.css").read_text()
SETS = [
    dict(re.findall(r"(--[\w-]+):\s*(.+?);", body))
    for body in re.findall(r":root(?:\[[^\]]*\]|:not\(\[data-theme\]\))?\s*\{([^}]*)\}", TOKENS)
    if "--ground" in body
]
GROUNDS = ["--ground", "--surface", "--sunken", "--hover", "--neutral-soft"]
READ_ON = {
    "--text": [*GROUNDS, "--error-soft", "--warning-soft", "--done-soft", "--accent-soft"],
    "--text-soft": GROUNDS,
    "--accent": ["--ground", "--surface"],
    "--accent-strong": ["--accent-soft"],
    "--on-accent": ["--accent", "--accent-strong"],
    "--running": ["--running-soft", "--surface", "--sunken"],
    "--done": ["--done-soft", "--surface"],
    "--warning": ["--warning-soft", "--surface", "--sunken"],
    "--error": ["--error-soft", "--surface", "--ground", "--sunken"],
    "--paused": ["--paused-soft"],
}


def luminance(colour: str) -> float:
    """Relative luminance of ``oklch(L C H)``: Björn Ottosson's matrices, clipped to sRGB as a screen does."""
    light, chroma, hue = map(float, re.findall(r"[\d.]+", colour)[:3])
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long, middle, short = (
        (light + 0.3963377774 * a + 0.2158037573 * b) ** 3,
        (light - 0.1055613458 * a - 0.0638541728 * b) ** 3,
        (light - 0.0894841775 * a - 1.2914855480 * b) ** 3,
    )
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, channel)) for channel in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [(text, ground) for text in READ_ON for ground in READ_ON[text]])
def test_text_has_a_contrast_of_4_5(theme: int, text: str, ground: str) -> None:
    tokens = SETS[theme]
    low, high = sorted((luminance(tokens[text]), luminance(tokens[ground])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_light_and_both_dark_sets_define_the_same_tokens() -> None:
    light, chosen_dark, wished_dark = SETS
    assert chosen_dark == wished_dark
    assert set(chosen_dark) <= set(light)


def test_every_used_token_is_defined() -> None:
    sources = "\n".join(file.read_text() for file in FILES)
    defined = set(re.findall(r"(--[\w-]+):", sources)) | SET_ELSEWHERE
    assert set(re.findall(r"var\((--[\w-]+)", sources)) <= defined
