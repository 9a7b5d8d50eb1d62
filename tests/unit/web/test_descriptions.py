"""Ready-made voices are described in the reader's language, on pages and through the API."""

from __future__ import annotations

import pytest

from synthesis.engines.embedded import presets
from synthesis.models import User
from tests.conftest import make_voice
from tests.unit.web.conftest import browser_of

PRESET = presets.PRESETS[1]
WORDS = [("en", PRESET.description_en), ("zh-hans", PRESET.description_zh)]


@pytest.mark.parametrize(("language", "words"), WORDS)
@pytest.mark.parametrize("page", ["/", "/voices/"])
def test_pages_describe_a_ready_made_voice(owner: User, page: str, language: str, words: str) -> None:
    make_voice("Mingyuan", preset=PRESET.id, description=PRESET.description_en, transcript=PRESET.sample_text)
    shown = browser_of(owner, language).get(page).content.decode()
    assert words.replace("'", "&#x27;") in shown


@pytest.mark.parametrize(("language", "words"), WORDS)
def test_the_api_describes_a_ready_made_voice(owner: User, language: str, words: str) -> None:
    voice = make_voice("Mingyuan", preset=PRESET.id, description=PRESET.description_en)
    assert browser_of(owner, language).get(f"/api/v1/voices/{voice.pk}").json()["description"] == words


def test_a_voice_whose_preset_is_no_more_keeps_its_words(owner: User) -> None:
    voice = make_voice("Old", preset="retired", description="A voice of before")
    assert browser_of(owner).get(f"/api/v1/voices/{voice.pk}").json()["description"] == "A voice of before"
