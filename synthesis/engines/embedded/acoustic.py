"""Features of eSpeak's voice to features of the target voice."""

import torch
from torch import Tensor

from synthesis.engines.embedded.borrowing import borrowed
from synthesis.engines.embedded.calibration import source_profile
from synthesis.engines.embedded.colour import recoloured
from synthesis.engines.embedded.features import Features, Progress
from synthesis.engines.embedded.grid import APERIODICITY_BANDS, BINS, between, cosines, mel_of_envelope, mels_to_bins
from synthesis.engines.embedded.prosody import contour, schedule
from synthesis.engines.embedded.target import Target, tilt_curve
from synthesis.engines.embedded.traits import Style
from synthesis.engines.embedded.warp import warped

NATURAL_NOISE = (0.004, 0.01, 0.03, 0.06, 0.12, 0.22, 0.35, 0.5)
"""Share of noise per band in ordinary voiced speech; eSpeak's voice has none, which is why it buzzes."""


def convert(
    spoken: Features,
    language: str,
    target: Target,
    style: Style,
    tempo: float,
    generator: torch.Generator,
    progress: Progress,
) -> Features:
    """The features of one run as the target voice says them; ``tempo`` includes the requested speed."""
    place = schedule(spoken.f0.numel(), tempo, generator)
    nearest = place.round().to(torch.int64)
    f0 = contour(held(spoken.f0), source_profile(language), target, style, generator)
    voiced = (spoken.f0 > 0)[nearest]
    f0 = torch.where(voiced, between(f0[:, None], place).squeeze(1), torch.zeros(()))
    envelope = voice_of(warped(spoken.envelope, target.tract), spoken.f0 > 0, language, target, progress)
    envelope = between(envelope, place) + tilt_curve(target.tilt_db + style.tilt_db)
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


def voice_of(envelope: Tensor, voiced: Tensor, language: str, target: Target, progress: Progress) -> Tensor:
    """``envelope`` (T, BINS) in the target's colours; ``voiced`` (T,) bool."""
    cepstrum = mel_of_envelope(envelope) @ cosines()
    mapped = recoloured(cepstrum, voiced, target.colours[language])
    mapped = mapped + sum(
        (
            borrowed(mapped, kind, lender, progress)
            for kind, lender in ((voiced, target.lend_voiced), (~voiced, target.lend_unvoiced))
            if lender is not None
        ),
        torch.zeros(()),
    )
    return envelope + (mapped - cepstrum) @ cosines().T @ mels_to_bins()


def noisy(measured: Tensor, voiced: Tensor, target: Target, style: Style) -> Tensor:
    """Share of noise (T, bands): natural for voiced frames, more where the source itself hisses."""
    natural = torch.tensor(NATURAL_NOISE)
    if target.aperiodicity is not None:
        natural = 0.5 * natural + 0.5 * target.aperiodicity.clamp(max=0.8)
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
