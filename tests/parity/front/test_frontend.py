"""Voice features with small models in the published formats: lengths, cache, refusals."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from synthesis.engines.base import ReferenceUnusable, ReferenceVoice, Samples, Stopped, WeightsUnusable
from synthesis.engines.cosyvoice3.frontend import (
    SPEAKER_ENCODER,
    SPEECH_TOKENIZER,
    FrontEnd,
    OnnxModel,
    VoiceCache,
    VoiceFeatures,
    aligned,
)
from synthesis.vocabulary import Stage
from tests.engines.tiny_cosyvoice3 import write_endless, write_speaker_encoder, write_speech_tokenizer


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_speech_tokenizer(folder / SPEECH_TOKENIZER)
    write_speaker_encoder(folder / SPEAKER_ENCODER)
    return folder


def tone(duration_s: float, rate_hz: int, amplitude: float = 0.1) -> Samples:
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)


def voice_of(samples: Samples, rate_hz: int) -> ReferenceVoice:
    return ReferenceVoice(key="voice", samples=samples, sample_rate_hz=rate_hz)


def never() -> bool:
    return False


def ignore(stage: Stage, done: float, total: float) -> None:
    pass


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000])
def test_tokens_and_mel_cover_the_same_time(models: Path, rate_hz: int) -> None:
    features = FrontEnd(models).features(voice_of(tone(1.03, rate_hz), rate_hz), ignore, never)
    assert features.tokens.shape == (25,)
    assert features.mel.shape == (50, 80)
    assert features.embedding.shape == (192,)
    assert features.tokens.dtype == torch.int64
    assert int(features.tokens.max()) < 6561


def test_the_longer_of_tokens_and_mel_is_cut() -> None:
    embedding = torch.zeros(192)
    assert aligned(torch.zeros(9), torch.zeros(17, 80), embedding).tokens.shape == (8,)
    assert aligned(torch.zeros(7), torch.zeros(17, 80), embedding).mel.shape == (14, 80)


def test_progress_ends_whole(models: Path) -> None:
    told: list[tuple[Stage, float, float]] = []
    FrontEnd(models).features(voice_of(tone(1, 16_000), 16_000), lambda *step: told.append(step), never)
    assert told == [(Stage.EXTRACT, done, 4) for done in range(5)]


def test_a_stop_is_felt_inside_a_model(tmp_path: Path) -> None:
    write_endless(tmp_path / "endless.onnx")
    model = OnnxModel(tmp_path / "endless.onnx", threads=1)
    asked: list[float] = []

    def stop_soon() -> bool:
        asked.append(time.monotonic())
        return len(asked) == 5

    with pytest.raises(Stopped):
        model(stop_soon, np.ones((1, 1500, 1500), dtype=np.float32))
    assert time.monotonic() - asked[-1] < 3  # one product takes a tenth of a second


@pytest.mark.parametrize("after", range(5))
def test_a_stop_is_felt_at_every_step(models: Path, after: int) -> None:
    asked = iter(range(5))
    with pytest.raises(Stopped):
        FrontEnd(models).features(voice_of(tone(1, 16_000), 16_000), ignore, lambda: next(asked) == after)


@pytest.mark.parametrize(
    ("samples", "rate_hz", "reason"),
    [
        (tone(2, 8_000), 8_000, "16,000"),
        (tone(30.1, 16_000), 16_000, "30.1 s"),
        (tone(0.4, 16_000), 16_000, "0.4 s"),
        (tone(0, 16_000), 16_000, "0.0 s"),
        (tone(1, 16_000, amplitude=0), 16_000, "silent"),
        (tone(1, 16_000) * np.float32("nan"), 16_000, "damaged"),
    ],
)
def test_an_unusable_recording_is_refused(models: Path, samples: Samples, rate_hz: int, reason: str) -> None:
    with pytest.raises(ReferenceUnusable, match=reason):
        FrontEnd(models).features(voice_of(samples, rate_hz), ignore, never)


@pytest.mark.parametrize("name", [SPEECH_TOKENIZER, SPEAKER_ENCODER])
def test_a_missing_or_damaged_model_is_named(models: Path, tmp_path: Path, name: str) -> None:
    for file in models.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes((models / name).read_bytes()[:100])
    with pytest.raises(WeightsUnusable, match=name):
        FrontEnd(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsUnusable, match=f"{name} is missing"):
        FrontEnd(tmp_path)


@pytest.fixture
def some_features() -> VoiceFeatures:
    return VoiceFeatures(torch.arange(3), torch.rand(6, 80), torch.rand(192))


def test_features_are_kept_by_key_and_version(tmp_path: Path, some_features: VoiceFeatures) -> None:
    VoiceCache(tmp_path, "a").put("key", some_features)
    kept = VoiceCache(tmp_path, "a").get("key")
    assert kept is not None
    torch.testing.assert_close(kept.mel, some_features.mel, atol=0, rtol=0)
    assert VoiceCache(tmp_path, "b").get("key") is None
    assert VoiceCache(tmp_path, "a").get("other") is None


def test_a_damaged_cache_file_counts_as_absent(tmp_path: Path, some_features: VoiceFeatures) -> None:
    cache = VoiceCache(tmp_path, "a")
    cache.put("key", some_features)
    (file,) = tmp_path.glob("key.*")
    file.write_bytes(file.read_bytes()[:200])
    assert cache.get("key") is None
    torch.save({"tokens": torch.zeros(3)}, file)
    assert cache.get("key") is None
