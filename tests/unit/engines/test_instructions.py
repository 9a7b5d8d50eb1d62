"""An instruction changes what it speaks of, measurably."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from synthesis.engines.base import Engine
from synthesis.engines.embedded.style import parse
from synthesis.engines.embedded.traits import PLAIN
from tests.unit.engines.speaking import ENGLISH, level_dbfs, pitch, say, seconds


@pytest.mark.parametrize("instruct", ["Whisper it", "请用耳语的方式说"])
def test_whisper_has_no_voice(engine: Engine, instruct: str) -> None:
    assert pitch(say(engine, instruct=instruct))[2] < 0.03


@pytest.mark.parametrize(("fast", "slow"), [("speak fast", "slowly, please"), ("说快一点", "慢慢说")])
def test_fast_is_shorter_and_slow_is_longer(engine: Engine, fast: str, slow: str) -> None:
    plain = seconds(say(engine))
    assert seconds(say(engine, instruct=fast)) < 0.85 * plain
    assert seconds(say(engine, instruct=slow)) > 1.2 * plain


@pytest.mark.parametrize(("loud", "gentle"), [("loud", "speak gently"), ("大声说", "温柔地说")])
def test_loud_is_louder_and_gentle_is_softer(engine: Engine, loud: str, gentle: str) -> None:
    plain = level_dbfs(say(engine))
    assert level_dbfs(say(engine, instruct=loud)) > plain + 2
    assert level_dbfs(say(engine, instruct=gentle)) < plain - 2


@pytest.mark.parametrize(("cheerful", "sad"), [("cheerful", "sadly"), ("开心地说", "悲伤的语气")])
def test_cheerful_is_higher_and_wider_than_sad(engine: Engine, cheerful: str, sad: str) -> None:
    (high, wide, _), (plain, range_, _), (low, narrow, _) = (
        pitch(say(engine, instruct=instruct)) for instruct in (cheerful, "", sad)
    )
    assert high > 1.05 * plain > 1.1 * low
    assert wide > range_ > narrow


@pytest.mark.parametrize(("low", "high"), [("in a low voice", "in a high voice"), ("低沉的声音", "高音")])
def test_low_and_high_move_the_pitch(engine: Engine, low: str, high: str) -> None:
    down, plain, up = (pitch(say(engine, instruct=instruct))[0] for instruct in (low, "", high))
    assert down < 0.9 * plain < 0.8 * up


def test_instructions_combine(engine: Engine) -> None:
    both = say(engine, instruct="sad and very slow, 小声")
    assert seconds(both) > 1.4 * seconds(say(engine))
    assert level_dbfs(both) < level_dbfs(say(engine)) - 4


def test_degrees_make_a_trait_stronger_or_weaker() -> None:
    assert parse("a little fast").rate < parse("fast").rate < parse("very fast").rate
    assert parse("有点快").rate < parse("快").rate < parse("非常快").rate


@pytest.mark.parametrize("instruct", ["not too fast", "don't whisper", "不要太快", "别大声"])
def test_what_is_denied_has_no_effect(instruct: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert parse(instruct) == PLAIN
    assert instruct in caplog.text


def test_an_unknown_instruction_changes_nothing_and_says_so(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        samples = say(engine, instruct="like a purple elephant")
    assert "purple elephant" in caplog.text
    assert np.array_equal(samples, say(engine, ENGLISH))


@pytest.mark.parametrize("instruct", ["breakfast", "sadden", "madrid", "快乐"])
def test_words_inside_other_words_do_not_count(instruct: str) -> None:
    assert parse(instruct).rate <= 0.06
