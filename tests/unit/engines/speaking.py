"""Saying things with the embedded engine and measuring what came out."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import torch

from synthesis.engines.base import Engine, ReferenceVoice, Samples, SegmentRequest
from synthesis.engines.embedded.pitch import track
from synthesis.vocabulary import Stage

ENGLISH = "The old man walked slowly down the street with his dog."
CHINESE = "今天天气很好，我们一起去公园散步吧。"
MIXED = "我用 Python 写了一个 voice portal，大家都很喜欢。"


def ignore(stage: Stage, done: float, total: float) -> None:
    """A report that nobody reads."""


def never() -> bool:
    return False


def preset(preset_id: str) -> ReferenceVoice:
    return ReferenceVoice(f"preset-{preset_id}", np.zeros(0, np.float32), 24_000, preset=preset_id)


def recording(samples: Samples, rate_hz: int = 24_000) -> ReferenceVoice:
    key = hashlib.sha256(np.ascontiguousarray(samples).tobytes() + str(rate_hz).encode()).hexdigest()
    return ReferenceVoice(key, samples, rate_hz)


def say(engine: Engine, text: str = ENGLISH, voice: str | ReferenceVoice = "robin", **options: Any) -> Samples:
    """``text`` in a voice; ``options`` are fields of SegmentRequest."""
    chosen = preset(voice) if isinstance(voice, str) else voice
    features = engine.prepare(chosen, ignore, never)
    language = options.pop("language", "en" if text.isascii() else "zh")
    request = SegmentRequest(text, language, features, options.pop("seed", 5), **options)
    return np.concatenate([chunk.samples for chunk in engine.synthesize(request, ignore, never)])


def digest(samples: Samples) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


def pitch(samples: Samples) -> tuple[float, float, float]:
    """Median F0 in Hz, its range in semitones between the tenths, and the share of voiced frames."""
    f0 = track(torch.from_numpy(samples), lambda done, total: None)
    voiced = f0[f0 > 0]
    if voiced.numel() < 5:
        return 0.0, 0.0, voiced.numel() / f0.numel()
    low, high = voiced.quantile(torch.tensor([0.1, 0.9])).tolist()
    return float(voiced.median()), 12 * math.log2(high / low), voiced.numel() / f0.numel()


def level_dbfs(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def seconds(samples: Samples) -> float:
    return samples.size / 24_000
