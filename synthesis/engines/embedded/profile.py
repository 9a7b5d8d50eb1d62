"""What the engine keeps of a voice: pitch, colour and some of its frames."""

from dataclasses import dataclass

import torch
from torch import Tensor

from synthesis.engines.base import ReferenceUnusable
from synthesis.engines.embedded.features import Features
from synthesis.engines.embedded.grid import FRAMES_PER_S, cosines, mel_of_envelope

SHORTEST_S = 1.0
LEAST_VOICED_S = 0.35
LEAST_SPREAD_SEMITONES = 0.08
"""A machine's tone varies less; a monotonous human voice varies ten times as much."""
LEAST_COLOUR = 0.12
"""Least standard deviation of the mel cepstrum's shape in voiced frames; a steady buzz has none."""
ACTIVE_BELOW_PEAK = 12.0
"""Frames within this many nepers of power (52 dB) of the loudest are speech."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Mean and spread of the mel cepstrum, each (MELS,), over one kind of frame."""

    mean: Tensor
    deviation: Tensor


@dataclass(frozen=True, slots=True)
class Profile:
    """A voice as the acoustic stage needs it."""

    pitch_hz: float
    """Median of the voiced frames."""
    spread_semitones: float
    voiced: Statistics
    unvoiced: Statistics
    aperiodicity: Tensor
    """(APERIODICITY_BANDS,) median of the voiced frames."""
    frames: Tensor
    """(F, MELS) log mel power of active frames, what the timbre may be borrowed from; F may be 0."""
    frames_voiced: Tensor
    """(F,) bool."""


def describe(features: Features) -> Profile:
    """The profile of a recording. Raises ReferenceUnusable if it holds no voice."""
    frames = features.f0.numel()
    if frames < SHORTEST_S * FRAMES_PER_S:
        raise ReferenceUnusable(f"The reference is too short: it needs at least {SHORTEST_S:g} s of speech.")
    mel = mel_of_envelope(features.envelope)
    power = features.envelope.exp().mean(1).log()
    active = power > power.max() - ACTIVE_BELOW_PEAK
    voiced = (features.f0 > 0) & active
    if int(voiced.sum()) < LEAST_VOICED_S * FRAMES_PER_S:
        raise ReferenceUnusable("The reference holds no voice: no part of it has a pitch to follow.")
    pitch_hz, spread = pitch_of(features.f0[voiced])
    cepstrum = mel @ cosines()
    shape = cepstrum[voiced][:, 1:13].std(0).mean()
    if spread < LEAST_SPREAD_SEMITONES or float(shape) < LEAST_COLOUR:
        raise ReferenceUnusable("The reference is a steady tone, not a voice.")
    unvoiced = active & (features.f0 == 0)
    return Profile(
        pitch_hz,
        spread,
        statistics(cepstrum[voiced]),
        statistics(cepstrum[unvoiced] if int(unvoiced.sum()) >= 20 else cepstrum[active]),
        features.aperiodicity[voiced].median(0).values,
        mel[active],
        voiced[active],
    )


def pitch_of(f0: Tensor) -> tuple[float, float]:
    """Median in Hz and robust spread in semitones of voiced ``f0`` (V,)."""
    middle = float(f0.median())
    semitones = 12.0 * torch.log2(f0 / middle)
    low, high = (float(v) for v in semitones.quantile(torch.tensor([0.1, 0.9])))
    return middle, (high - low) / 2.563
    # 2.563 deviations lie between the tenths of a normal distribution.


def statistics(cepstrum: Tensor) -> Statistics:
    """Mean and standard deviation over frames of ``cepstrum`` (T, MELS)."""
    return Statistics(cepstrum.mean(0), cepstrum.std(0).clamp_min(1e-3))
