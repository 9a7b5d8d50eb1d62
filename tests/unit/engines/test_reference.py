"""References: followed if they hold a voice, refused if not, measured once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthesis.engines.base import Engine, ReferenceUnusable, Samples, Stopped
from synthesis.engines.catalogue import load_engine
from synthesis.engines.embedded.sampling import render_sample
from synthesis.vocabulary import Stage
from tests.unit.engines.speaking import ignore, never, pitch, recording, say

SECOND = 24_000


def tone(hz: float) -> Samples:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(3 * SECOND) / SECOND)).astype(np.float32)


def noise() -> Samples:
    return (0.1 * np.random.default_rng(1).standard_normal(3 * SECOND)).astype(np.float32)


def buzz() -> Samples:
    return (((np.arange(3 * SECOND) * 120 / SECOND) % 1.0) * 0.4 - 0.2).astype(np.float32)


UNUSABLE = {
    "silence": np.zeros(3 * SECOND, np.float32),
    "nothing": np.zeros(0, np.float32),
    "noise": noise(),
    "tone": tone(220.0),
    "low tone": tone(100.0),
    "buzz": buzz(),
    "short": tone(150.0)[: SECOND // 2],
    "not numbers": np.full(3 * SECOND, np.nan, np.float32),
    "one infinity": np.where(np.arange(3 * SECOND) == 5, np.inf, noise()).astype(np.float32),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_recording_without_a_voice_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(ReferenceUnusable, match="reference"):
        engine.prepare(recording(UNUSABLE[name]), ignore, never)


@pytest.mark.parametrize("text", ["The road was closed because of snow.", "我们一起去公园散步吧。"])
def test_the_pitch_follows_the_reference(engine: Engine, text: str) -> None:
    for name in ("henry", "xiaohe"):
        sample, rate_hz = render_sample(name)
        spoken = pitch(say(engine, text, recording(sample, rate_hz)))[0]
        assert spoken == pytest.approx(pitch(sample)[0], rel=0.12)


def test_a_reference_is_measured_once(tmp_path: Path) -> None:
    sample, rate_hz = render_sample("alice")
    voice = recording(sample, rate_hz)
    first = load_engine("embedded", cache_dir=tmp_path)
    assert steps(first, voice) > 10
    assert steps(first, voice) == 2
    again = load_engine("embedded", cache_dir=tmp_path)
    assert steps(again, voice) == 2
    assert np.array_equal(say(first, "Yes, it is.", voice), say(again, "Yes, it is.", voice))


def steps(engine: Engine, voice: object) -> int:
    """How many reports the extract stage makes."""
    seen: list[float] = []

    def report(stage: Stage, done: float, total: float) -> None:
        assert stage is Stage.EXTRACT
        seen.append(done / total)

    engine.prepare(voice, report, never)  # type: ignore[arg-type] # kept loose for the helper's two callers
    assert seen[-1] == 1.0
    return len(seen)


@pytest.mark.parametrize("damage", [b"", b"not a cache file", b"PK\x03\x04" + bytes(200)])
def test_a_damaged_cache_file_is_measured_again(tmp_path: Path, damage: bytes) -> None:
    sample, rate_hz = render_sample("robin")
    voice = recording(sample, rate_hz)
    before = say(load_engine("embedded", cache_dir=tmp_path), "Good morning.", voice)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole = file.read_bytes()
    file.write_bytes(damage)
    after = say(load_engine("embedded", cache_dir=tmp_path), "Good morning.", voice)
    assert np.array_equal(before, after)
    assert len(file.read_bytes()) == len(whole)


def test_a_cache_that_cannot_be_written_costs_no_job(tmp_path: Path) -> None:
    (tmp_path / "embedded").write_text("a file where a folder should be")
    sample, rate_hz = render_sample("robin")
    assert say(load_engine("embedded", cache_dir=tmp_path), "Good morning.", recording(sample, rate_hz)).size


def test_measuring_stops_when_asked(engine: Engine) -> None:
    sample, rate_hz = render_sample("mingyuan")
    with pytest.raises(Stopped):
        engine.prepare(recording(sample, rate_hz), ignore, lambda: True)
