"""When each frame is spoken and how high: tempo, pitch, and the seed's share in both."""

import math

import torch
from torch import Tensor

from synthesis.engines.embedded.grid import FRAMES_PER_S
from synthesis.engines.embedded.profile import Profile
from synthesis.engines.embedded.target import Target
from synthesis.engines.embedded.traits import Style

SLOWEST_TOTAL, FASTEST_TOTAL = 0.4, 2.6
TIME_WOBBLE = 0.07
"""Standard deviation of the logarithm of the local tempo."""
PITCH_WOBBLE_SEMITONES = 0.35
WOBBLE_PERIOD_S = 0.35
LEAST_SPREAD_SEMITONES, MOST_SPREAD_SEMITONES = 1.8, 4.2
LEAST_HZ, MOST_HZ = 60.0, 480.0


def wobble(frames: int, generator: torch.Generator) -> Tensor:
    """A smooth random curve (frames,) of mean 0 and deviation about 1, with a knot every 0.35 s."""
    knots = max(4, math.ceil(frames / (WOBBLE_PERIOD_S * FRAMES_PER_S)) + 3)
    values = torch.randn(knots, generator=generator).clamp(-2.0, 2.0)
    curve = torch.nn.functional.interpolate(values[None, None, None], size=(1, max(frames, 2)), mode="bicubic")
    return curve.reshape(-1)[:frames]


def schedule(frames: int, tempo: float, generator: torch.Generator) -> Tensor:
    """Source frame, fractional, of every frame to be spoken.

    ``tempo`` 2 gives half as many frames. The seed hurries here and lingers there; the sum stays exact.
    """
    wanted = max(1, round(frames / min(max(tempo, SLOWEST_TOTAL), FASTEST_TOTAL)))
    local = torch.exp(TIME_WOBBLE * wobble(frames, generator)).to(torch.float64)
    clock = torch.nn.functional.pad(local.cumsum(0), (1, 0))
    clock = clock * (wanted / float(clock[-1]))
    instants = torch.arange(wanted, dtype=torch.float64) + 0.5
    right = torch.searchsorted(clock, instants).clamp(1, frames)
    left = right - 1
    place = left + (instants - clock[left]) / (clock[right] - clock[left])
    return (place - 0.5).clamp(0.0, frames - 1.0)


def contour(f0: Tensor, source: Profile, target: Target, style: Style, generator: torch.Generator) -> Tensor:
    """F0 (T,) in Hz of the target voice; 0 stays 0.

    Log-Gaussian mapping of mean and range (e.g. T. Toda et al., IEEE TASLP 15(8), 2007), with the range kept within
    what carries tones and does not sing.
    """
    voiced = f0 > 0
    drift = wobble(f0.numel(), generator) * PITCH_WOBBLE_SEMITONES
    spread = min(max(target.spread_semitones, LEAST_SPREAD_SEMITONES), MOST_SPREAD_SEMITONES)
    ratio = min(max(spread / source.spread_semitones, 0.7), 1.6) * math.exp(style.range)
    lively = min(1.0, math.exp(style.range))
    semitones = 12.0 * torch.log2(torch.where(voiced, f0, torch.tensor(source.pitch_hz)) / source.pitch_hz)
    raised = ratio * semitones + style.semitones + drift * lively
    hz = target.pitch_hz * torch.exp2(raised / 12.0)
    return torch.where(voiced, hz.clamp(LEAST_HZ, MOST_HZ), torch.zeros(()))


def tempo_of(speed: float, target: Target, style: Style) -> float:
    """How much faster than eSpeak reads."""
    return speed * math.exp(target.rate + style.rate)
