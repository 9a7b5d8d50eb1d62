"""Features of eSpeak's voice to features of the target voice."""

import torch
from torch import Tensor

from synthesis.engines.embedded.features import Features
from synthesis.engines.embedded.grid import (
    APERIODICITY_BANDS,
    BINS,
    cosines,
    mel_of_envelope,
    mels_to_bins,
)
from synthesis.engines.embedded.profile import Profile, Statistics
from synthesis.engines.embedded.prosody import contour, schedule
from synthesis.engines.embedded.style import Style
from synthesis.engines.embedded.target import Target, tilt_curve

ORDER = 24
"""Mel-cepstral coefficients that are mapped; finer detail stays the source's."""
LIKENESS = 0.7
"""Share of the way from the source's mean colour to the reference's."""
LEAST_RATIO, MOST_RATIO = 0.7, 1.35
NATURAL_NOISE = (0.004, 0.01, 0.03, 0.06, 0.12, 0.22, 0.35, 0.5)
"""Share of noise per band in ordinary voiced speech; eSpeak's voice has none, which is why it buzzes."""


def convert(
    spoken: Features, source: Profile, target: Target, style: Style, tempo: float, generator: torch.Generator
) -> Features:
    """The features of one run as the target voice says them; ``tempo`` includes the requested speed."""
    place = schedule(spoken.f0.numel(), tempo, generator)
    nearest = place.round().to(torch.int64)
    f0 = contour(held(spoken.f0), source, target, style, generator)
    voiced = (spoken.f0 > 0)[nearest]
    f0 = torch.where(voiced, between(f0[:, None], place).squeeze(1), torch.zeros(()))
    envelope = coloured(spoken, source, target)
    envelope = between(warped(envelope, target.tract), place) + tilt_curve(target.tilt_db + style.tilt_db)
    noise = noisy(between(spoken.aperiodicity, place), voiced, target, style)
    if style.whisper:
        return whispered(Features(f0, envelope, noise))
    return Features(f0, envelope, noise)


def held(f0: Tensor) -> Tensor:
    """``f0`` (T,) with the gaps filled by the value before, so that it can be interpolated."""
    voiced = f0 > 0
    if not bool(voiced.any()):
        return f0
    index = torch.where(voiced, torch.arange(f0.numel()), torch.tensor(-1)).cummax(0).values
    first = int(voiced.nonzero()[0])
    return f0[torch.where(index < 0, torch.tensor(first), index)]


def between(rows: Tensor, place: Tensor) -> Tensor:
    """``rows`` (T, M) at fractional frames ``place`` (T',)."""
    left = place.floor().to(torch.int64).clamp(0, rows.shape[0] - 1)
    right = (left + 1).clamp_max(rows.shape[0] - 1)
    share = (place - left).to(torch.float32)[:, None]
    return rows[left] * (1.0 - share) + rows[right] * share


def coloured(spoken: Features, source: Profile, target: Target) -> Tensor:
    """The envelope (T, BINS) with mean and range of the mel cepstrum moved towards the reference."""
    if target.profile is None:
        return spoken.envelope
    mel = mel_of_envelope(spoken.envelope)
    cepstrum = mel @ cosines()
    voiced = (spoken.f0 > 0)[:, None]
    moved = torch.where(
        voiced,
        moved_to(cepstrum, source.voiced, target.profile.voiced),
        moved_to(cepstrum, source.unvoiced, target.profile.unvoiced),
    )
    return spoken.envelope + (moved - cepstrum) @ cosines().T @ mels_to_bins()


def moved_to(cepstrum: Tensor, source: Statistics, goal: Statistics) -> Tensor:
    """``cepstrum`` (T, MELS) with coefficients 1 to ORDER mapped; loudness and fine detail stay."""
    ratio = (goal.deviation / source.deviation).clamp(LEAST_RATIO, MOST_RATIO)
    mapped = source.mean + (cepstrum - source.mean) * ratio + LIKENESS * (goal.mean - source.mean)
    taken = torch.zeros(cepstrum.shape[1])
    taken[1 : ORDER + 1] = 1.0
    return cepstrum + (mapped - cepstrum) * taken


def warped(envelope: Tensor, tract: float) -> Tensor:
    """``envelope`` (T, BINS) for a tract of another length: piecewise linear, as in speaker normalisation
    (L. Lee and R. Rose, IEEE TSAP 6(1), 1998); the top end stays in place."""
    bend = 0.8 * BINS * min(1.0, tract)
    bins = torch.arange(BINS, dtype=torch.float32)
    corner = bend / tract
    upper = bend + (bins - corner) * ((BINS - 1 - bend) / (BINS - 1 - corner))
    at = torch.where(bins <= corner, bins * tract, upper).clamp(0, BINS - 1)
    left = at.floor().to(torch.int64).clamp_max(BINS - 2)
    share = at - left
    return envelope[:, left] * (1.0 - share) + envelope[:, left + 1] * share


def noisy(measured: Tensor, voiced: Tensor, target: Target, style: Style) -> Tensor:
    """Share of noise (T, bands): natural for voiced frames, more where the source itself hisses."""
    natural = torch.tensor(NATURAL_NOISE)
    if target.profile is not None:
        natural = 0.5 * natural + 0.5 * target.profile.aperiodicity.clamp(max=0.8)
    breath = min(0.9, target.breath + style.breath)
    rising = torch.linspace(0.3, 1.0, APERIODICITY_BANDS)
    share = natural + breath * rising * (1.0 - natural)
    hissing = (measured - 0.5).clamp_min(0.0)
    share = (share[None, :] + hissing).clamp(0.0, 1.0)
    return torch.where(voiced[:, None], share, torch.ones(()))


def whispered(features: Features) -> Features:
    """No voice: noise alone, with the low end that only a glottis makes taken away."""
    lift = tilt_curve(2.0) - 1.5 * torch.exp(-torch.arange(BINS) / 12.0)
    voiced = (features.f0 > 0)[:, None]
    envelope = torch.where(voiced, features.envelope + lift, features.envelope)
    return Features(torch.zeros_like(features.f0), envelope, torch.ones_like(features.aperiodicity))
