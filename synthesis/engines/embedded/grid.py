"""The grids every stage works on, and the matrices that lead from one to another."""

from functools import lru_cache

import torch
from torch import Tensor

from synthesis.engines.torchaudio_loader import load_torchaudio

SAMPLE_RATE_HZ = 24_000
HOP = 120
"""Samples between frames: 5 ms."""
FRAMES_PER_S = SAMPLE_RATE_HZ / HOP
FFT = 1024
BINS = FFT // 2 + 1
MELS = 80
APERIODICITY_EDGES_HZ = (0.0, 1000.0, 2000.0, 3000.0, 4000.0, 5500.0, 7500.0, 9500.0, 12000.0)
APERIODICITY_BANDS = len(APERIODICITY_EDGES_HZ) - 1
BLOCK_FRAMES = 200
"""Frames worked on between two looks at the stop flag: one second of audio, some 10 ms of work."""


@lru_cache(maxsize=1)
def frequencies_hz() -> Tensor:
    """Centre of each bin, (BINS,)."""
    return torch.linspace(0.0, SAMPLE_RATE_HZ / 2, BINS)


def mel_of(hz: Tensor) -> Tensor:
    """The mel scale of O'Shaughnessy (1987), as HTK uses it."""
    return 2595.0 * torch.log10(1.0 + hz / 700.0)


@lru_cache(maxsize=1)
def mel_centres_hz() -> Tensor:
    """Centre of each mel band, (MELS,)."""
    top = float(mel_of(torch.tensor(SAMPLE_RATE_HZ / 2)))
    mels = torch.linspace(0.0, top, MELS + 2)[1:-1]
    return 700.0 * (torch.pow(10.0, mels / 2595.0) - 1.0)


@lru_cache(maxsize=1)
def bins_to_mels() -> Tensor:
    """Averages power over mel bands, (BINS, MELS); every column sums to one."""
    banks: Tensor = load_torchaudio().functional.melscale_fbanks(
        BINS, 0.0, SAMPLE_RATE_HZ / 2, MELS, SAMPLE_RATE_HZ, norm=None, mel_scale="htk"
    )
    empty = banks.sum(0) == 0
    nearest = (frequencies_hz()[:, None] - mel_centres_hz()[None, :]).abs().argmin(0)
    banks[nearest[empty], empty.nonzero().squeeze(1)] = 1.0
    return banks / banks.sum(0, keepdim=True)


@lru_cache(maxsize=1)
def mels_to_bins() -> Tensor:
    """Interpolates a curve over mel bands linearly to the bins, (MELS, BINS)."""
    return interpolation(mel_of(mel_centres_hz()), mel_of(frequencies_hz()))


@lru_cache(maxsize=1)
def bands_to_bins() -> Tensor:
    """Interpolates a curve over the aperiodicity bands to the bins, (APERIODICITY_BANDS, BINS)."""
    edges = torch.tensor(APERIODICITY_EDGES_HZ)
    return interpolation((edges[1:] + edges[:-1]) / 2, frequencies_hz())


@lru_cache(maxsize=1)
def cosines() -> Tensor:
    """Orthonormal DCT-II of the mel axis, (MELS, MELS): ``mel @ cosines()`` is the mel cepstrum."""
    matrix: Tensor = load_torchaudio().functional.create_dct(MELS, MELS, "ortho")
    return matrix


def interpolation(known: Tensor, wanted: Tensor) -> Tensor:
    """Matrix (len(known), len(wanted)) of linear interpolation, constant outside; both axes ascend."""
    right = torch.searchsorted(known.contiguous(), wanted.contiguous()).clamp(1, known.numel() - 1)
    left = right - 1
    share = ((wanted - known[left]) / (known[right] - known[left])).clamp(0.0, 1.0)
    matrix = torch.zeros(known.numel(), wanted.numel())
    column = torch.arange(wanted.numel())
    matrix[left, column] = 1.0 - share
    matrix[right, column] = share
    return matrix


def mel_of_envelope(envelope: Tensor) -> Tensor:
    """Log power over mel bands, (T, MELS), of a log power envelope (T, BINS)."""
    return (torch.exp(envelope) @ bins_to_mels() + 1e-12).log()


def between(rows: Tensor, place: Tensor) -> Tensor:
    """``rows`` (T, M) at fractional frames ``place`` (T',)."""
    left = place.floor().to(torch.int64).clamp(0, rows.shape[0] - 1)
    right = (left + 1).clamp_max(rows.shape[0] - 1)
    share = (place - left).to(torch.float32)[:, None]
    return rows[left] * (1.0 - share) + rows[right] * share
