"""Speech to what the vocoder can speak again: F0, spectral envelope, aperiodicity."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from synthesis.engines.embedded.envelope import aperiodicity, envelopes
from synthesis.engines.embedded.grid import BLOCK_FRAMES
from synthesis.engines.embedded.pitch import track

Progress = Callable[[float], None]
"""Called with the share done, 0-1. May raise Stopped."""


@dataclass(frozen=True, slots=True)
class Features:
    """Frames every 5 ms."""

    f0: Tensor
    """(T,) Hz, 0 where unvoiced."""
    envelope: Tensor
    """(T, BINS) log power."""
    aperiodicity: Tensor
    """(T, APERIODICITY_BANDS) share of noise, 0-1."""


def analyse(samples: Tensor, progress: Progress) -> Features:
    """Features of ``samples`` (N,) float32 at 24 kHz."""
    f0 = track(samples, lambda done, total: progress(0.4 * done / total))
    frames = f0.numel()
    spectra, noises = [], []
    for start in range(0, frames, BLOCK_FRAMES):
        stop = min(start + BLOCK_FRAMES, frames)
        spectra.append(envelopes(samples, f0, start, stop))
        noises.append(aperiodicity(samples, f0, start, stop))
        progress(0.4 + 0.6 * stop / frames)
    return Features(f0, torch.cat(spectra), torch.cat(noises))
