"""Level of the output, decided before the first sample so that it can be played while it is made."""

import math

import torch
from torch import Tensor

from synthesis.engines.embedded.features import Features
from synthesis.engines.embedded.grid import SAMPLE_RATE_HZ

ACTIVE_DBFS = -20.0
"""Level of the frames that hold speech."""
ACTIVE_WITHIN_DB = 25.0
FADE_S = 0.006
ROOM_TONE = 3.2e-4
"""-70 dBFS of noise under everything: unheard, but no recording of a voice is digitally silent between its words."""
CEILING, KNEE = 0.85, 0.6
"""Peaks are bent above KNEE and never pass CEILING, -1.4 dBFS."""


def gain_for(features: Features, gain_db: float) -> float:
    """Factor that brings active speech to ACTIVE_DBFS plus ``gain_db``, from the envelope alone."""
    power = features.envelope.exp()
    frame_power = (2.0 * power.sum(1) - power[:, 0] - power[:, -1]) / (2 * (power.shape[1] - 1))
    loudest = float(frame_power.max())
    active = frame_power[frame_power > loudest * 10 ** (-ACTIVE_WITHIN_DB / 10)]
    level_db = 10.0 * math.log10(float(active.mean()) + 1e-20)
    return float(10.0 ** ((ACTIVE_DBFS + gain_db - level_db) / 20.0))


class Finish:
    """Gain, limiter and fades of one segment, chunk by chunk; ``total`` is the segment's length in samples."""

    def __init__(self, gain: float, total: int, generator: torch.Generator) -> None:
        self._generator = generator
        self._gain = gain
        self._total = total
        self._done = 0

    def __call__(self, samples: Tensor) -> Tensor:
        start = self._done
        self._done += samples.numel()
        tone = ROOM_TONE * torch.randn(samples.numel(), generator=self._generator)
        place = torch.arange(start, self._done)
        length = FADE_S * SAMPLE_RATE_HZ
        edge = torch.minimum(place, self._total - 1 - place).clamp_min(0) / length
        return limited(samples * self._gain + tone) * (0.5 - 0.5 * torch.cos(math.pi * edge.clamp_max(1.0)))


def limited(samples: Tensor) -> Tensor:
    """Bends what exceeds KNEE so that nothing passes CEILING; each sample alone, so chunks may be cut anywhere."""
    over = (samples.abs() - KNEE).clamp_min(0.0)
    bent = KNEE + (CEILING - KNEE) * torch.tanh(over / (CEILING - KNEE))
    return torch.where(over > 0, torch.sign(samples) * bent, samples)
