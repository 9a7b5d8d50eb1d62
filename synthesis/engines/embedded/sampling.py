"""Recordings of the ready-made voices: what people listen to, and what other engines take as the reference."""

import tempfile
from pathlib import Path

import numpy as np

from synthesis.engines.base import ReferenceVoice, Samples, SegmentRequest
from synthesis.engines.embedded.engine import EmbeddedEngine
from synthesis.engines.embedded.presets import preset_by_id

SEED = 1986


def render_sample(preset_id: str) -> tuple[Samples, int]:
    """Four to eight seconds of a preset saying its ``sample_text``, and the sample rate in Hz.

    The same samples every time. Raises KeyError for an unknown preset.
    """
    preset = preset_by_id(preset_id)
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder))
        voice = ReferenceVoice("preset", np.zeros(0, np.float32), engine.sample_rate_hz, preset=preset.id)
        target = engine.prepare(voice, lambda stage, done, total: None, lambda: False)
        request = SegmentRequest(preset.sample_text, preset.language, target, SEED)
        chunks = engine.synthesize(request, lambda stage, done, total: None, lambda: False)
        return np.concatenate([chunk.samples for chunk in chunks]), engine.sample_rate_hz
