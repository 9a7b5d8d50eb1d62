"""What comes out is speech: it sounds, lasts and stays within its level."""

from __future__ import annotations

import numpy as np
import pytest

from synthesis.engines.base import Engine, Samples, SegmentRequest, TextUnspeakable
from synthesis.engines.embedded.presets import PRESETS
from synthesis.engines.embedded.sampling import render_sample
from synthesis.vocabulary import Stage
from tests.unit.engines.speaking import (
    CHINESE,
    ENGLISH,
    MIXED,
    ignore,
    level_dbfs,
    never,
    pitch,
    preset,
    say,
    seconds,
)

LONG = "We read the letter twice, put it back into the drawer and said nothing about it to anybody, " * 3


def assert_is_speech(samples: Samples) -> None:
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert float(np.abs(samples).max()) <= 0.891
    assert -27 < level_dbfs(samples) < -17
    assert abs(float(samples.mean())) < 1e-3
    assert max(abs(float(samples[0])), abs(float(samples[-1]))) < 1e-3
    assert 0.3 < pitch(samples)[2] < 0.95


@pytest.mark.parametrize(("text", "shortest", "longest"), [(ENGLISH, 2, 6), (CHINESE, 3, 8), (MIXED, 3, 10)])
def test_chinese_english_and_mixed_text_sound(engine: Engine, text: str, shortest: float, longest: float) -> None:
    samples = say(engine, text)
    assert_is_speech(samples)
    assert shortest < seconds(samples) < longest


@pytest.mark.parametrize("text", ["Yes.", "好", "A", "2024", "A&B"])
@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_one_word_is_enough(engine: Engine, text: str, speed: float) -> None:
    assert 0.1 < seconds(say(engine, text, speed=speed)) < 8


def test_three_hundred_characters_are_not_too_many(engine: Engine) -> None:
    assert_is_speech(say(engine, LONG[:300]))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, MIXED])
@pytest.mark.parametrize("speed", [0.5, 0.8, 1.3, 2.0])
def test_speed_changes_duration_by_that_factor(engine: Engine, text: str, speed: float) -> None:
    assert say(engine, text).size / say(engine, text, speed=speed).size == pytest.approx(speed, rel=0.05)


def test_markup_is_not_spoken(engine: Engine) -> None:
    tagged = "<strong>The old man</strong> walked [laughter] slowly <|en|>down the street with his dog."
    assert np.array_equal(say(engine, tagged), say(engine, ENGLISH))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("...", "no words"),
        ("😀", "no words"),
        ("こんにちは", "Japanese"),
        ("漢字とかな", "Japanese"),
        ("Да", "Cyrillic"),
    ],
)
def test_what_cannot_be_spoken_is_refused(engine: Engine, text: str, word: str) -> None:
    with pytest.raises(TextUnspeakable, match=word):
        say(engine, text, language="zh")


def test_progress_passes_through_acoustic_then_vocoder_and_never_falls(engine: Engine) -> None:
    seen: list[tuple[Stage, float]] = []
    features = engine.prepare(preset("robin"), ignore, never)
    request = SegmentRequest(ENGLISH, "en", features, 1)
    chunks = list(engine.synthesize(request, lambda stage, done, total: seen.append((stage, done / total)), never))
    assert len(chunks) > 3
    assert seen == sorted(seen, key=lambda step: (step[0] is Stage.VOCODER, step[1]))
    assert dict(seen) == {Stage.ACOUSTIC: 1.0, Stage.VOCODER: 1.0}
    assert len(seen) > 10


@pytest.mark.parametrize("preset_id", [preset.id for preset in PRESETS])
def test_every_ready_made_voice_has_a_recording_of_itself(preset_id: str) -> None:
    samples, rate_hz = render_sample(preset_id)
    assert rate_hz == 24_000
    assert 4 <= seconds(samples) <= 10
    assert_is_speech(samples)
