"""A wish to stop is felt at once, in every stage, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
import pytest

from synthesis.engines.base import Engine, EngineError, SegmentRequest, Stopped
from synthesis.engines.embedded import espeak
from synthesis.engines.embedded.script import VOICES, Run
from synthesis.vocabulary import Stage
from tests.unit.engines.speaking import ignore, never, preset

pytestmark = pytest.mark.alone

LONG = "We read the letter twice, put it back into the drawer and said nothing about it to anybody. " * 6
FELT_WITHIN_S = 0.3


def stop_when(reached: Callable[[Stage, float], bool], engine: Engine) -> float:
    """Speak, wish to stop once ``reached``; seconds until Stopped came."""
    wished: list[float] = []

    def report(stage: Stage, done: float, total: float) -> None:
        if not wished and reached(stage, done / total):
            wished.append(time.monotonic())

    features = engine.prepare(preset("robin"), ignore, never)
    chunks = engine.synthesize(SegmentRequest(LONG, "en", features, 1), report, lambda: bool(wished))
    with pytest.raises(Stopped):
        list(chunks)
    return time.monotonic() - wished[0]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("stage", [Stage.ACOUSTIC, Stage.VOCODER])
def test_stop_is_felt_at_once_and_leaves_no_child(engine: Engine, stage: Stage, share: float) -> None:
    before = {child.pid for child in psutil.Process().children()}
    assert stop_when(lambda now, done: now is stage and done >= share, engine) < FELT_WITHIN_S
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_stop_while_espeak_works_kills_it() -> None:
    started = time.monotonic()
    with pytest.raises(Stopped):
        espeak.speak((Run("zh", "春天来了，花园里的花都开了。" * 400),), lambda: time.monotonic() - started > 0.05)
    assert time.monotonic() - started < 0.05 + FELT_WITHIN_S


def test_an_espeak_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "LIMIT_S", 0.05)
    with pytest.raises(EngineError, match="did not finish"):
        espeak.speak((Run("zh", "春天来了，花园里的花都开了。" * 400),), never)


def test_an_espeak_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VOICES, "en", "no-such-voice")
    with pytest.raises(EngineError, match="no-such-voice"):
        espeak.speak((Run("en", "Hello."),), never)
