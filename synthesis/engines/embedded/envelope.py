"""Spectral envelope and band aperiodicity, in batches of frames.

The envelope follows M. Morise, "CheapTrick, a spectral envelope estimator for high-quality speech synthesis",
Speech Communication 67, 2015: a window of a few periods, smoothing over a share of F0, liftering in the cepstrum.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor

from synthesis.engines.embedded.grid import (
    APERIODICITY_EDGES_HZ,
    BINS,
    FFT,
    HOP,
    SAMPLE_RATE_HZ,
    frequencies_hz,
)

UNVOICED_HZ = 215.0
"""Stands for F0 where there is none: a window of 9 ms."""
PERIODS = 2.0
"""Length of the window in periods. CheapTrick takes three; two keep stops and glides apart, and the smoothing grows
by as much, so the harmonics still do not show."""
LOWEST_HZ = PERIODS * SAMPLE_RATE_HZ / (FFT - 2)
SHARPENING = -0.15
"""CheapTrick's q1; q0 = 1 - 2 q1."""
FLOOR = 1e-11


def envelopes(samples: Tensor, f0: Tensor, first: int, last: int) -> Tensor:
    """Log power envelope (last - first, BINS) of frames of ``samples`` (N,) at 24 kHz with ``f0`` (T,).

    Scaled so that the mean of the power over the circle is the signal's variance.
    """
    hz = torch.where(f0[first:last] > 0, f0[first:last], torch.tensor(UNVOICED_HZ)).clamp(LOWEST_HZ, 1000.0)
    weight = hann(PERIODS / 2 * SAMPLE_RATE_HZ / hz)
    windows = cut(samples, first, last, torch.zeros(last - first)) * weight
    mean = windows.sum(1, keepdim=True) / weight.sum(1, keepdim=True)
    windows = windows - weight * mean
    power = torch.fft.rfft(windows).abs().square() / weight.square().sum(1, keepdim=True)
    smooth = smoothed(power, hz * (2.0 / PERIODS)) + FLOOR
    return liftered(torch.log(smooth), hz * (3.0 / PERIODS))


def cut(samples: Tensor, first: int, last: int, offset: Tensor) -> Tensor:
    """Windows (last - first, FFT) of samples centred on the frames moved by ``offset`` (T,) samples."""
    start = torch.arange(first, last)[:, None] * HOP - FFT // 2 + offset.round().to(torch.int64)[:, None]
    index = start + torch.arange(FFT)[None, :]
    inside = (index >= 0) & (index < samples.numel())
    return torch.where(inside, samples[index.clamp(0, max(samples.numel() - 1, 0))], torch.zeros(()))


def hann(half: Tensor) -> Tensor:
    """Hann windows (T, FFT) of half length ``half`` (T,) in samples about the middle."""
    place = (torch.arange(FFT) - FFT // 2)[None, :] / half[:, None]
    return torch.where(place.abs() < 1.0, 0.5 + 0.5 * torch.cos(math.pi * place), torch.zeros(()))


def smoothed(power: Tensor, width_hz: Tensor) -> Tensor:
    """Moving average of ``power`` (T, BINS) over ``width_hz`` (T,), by differences of the running integral."""
    mirror = BINS - 1
    circle = torch.cat([power[:, 1:].flip(1), power, power[:, :-1].flip(1)], dim=1)
    integral = torch.nn.functional.pad(circle.to(torch.float64).cumsum(1), (1, 0))
    half = (width_hz / 2 / (SAMPLE_RATE_HZ / FFT))[:, None].to(torch.float64)
    centre = torch.arange(BINS, dtype=torch.float64)[None, :] + mirror + 0.5
    total = sampled(integral, centre + half) - sampled(integral, centre - half)
    return (total / (2 * half)).clamp_min(0.0).to(torch.float32)


def sampled(rows: Tensor, place: Tensor) -> Tensor:
    """``rows`` (T, M) read at fractional ``place`` (T, B) by linear interpolation."""
    left = place.floor().to(torch.int64).clamp(0, rows.shape[1] - 2)
    at = rows.gather(1, left)
    return at + (rows.gather(1, left + 1) - at) * (place - left)


def liftered(log_power: Tensor, hz: Tensor) -> Tensor:
    """Removes the ripple of the harmonics from ``log_power`` (T, BINS) and sharpens what is left."""
    quefrency = torch.arange(BINS)[None, :] / SAMPLE_RATE_HZ
    phase = hz[:, None] * quefrency
    lifter = torch.sinc(phase) * (1.0 - 2.0 * SHARPENING + 2.0 * SHARPENING * torch.cos(2 * math.pi * phase))
    cepstrum = torch.fft.irfft(log_power.to(torch.complex64), FFT)[:, :BINS] * lifter
    circle = torch.cat([cepstrum, cepstrum[:, 1:-1].flip(1)], dim=1)
    even: Tensor = torch.fft.rfft(circle).real
    return even


def aperiodicity(samples: Tensor, f0: Tensor, first: int, last: int) -> Tensor:
    """Share of noise power in each band, (last - first, APERIODICITY_BANDS), in 0.001-1; 1 where unvoiced.

    One minus the correlation, band by band, of two windows one period apart.
    """
    voiced = f0[first:last] > 0
    period = SAMPLE_RATE_HZ / torch.where(voiced, f0[first:last], torch.tensor(UNVOICED_HZ)).clamp_min(LOWEST_HZ)
    shape = hann(period.clamp_max(FFT / 2 - 1))
    earlier = (period / 2).round()
    left = torch.fft.rfft(cut(samples, first, last, -earlier) * shape)
    right = torch.fft.rfft(cut(samples, first, last, period.round() - earlier) * shape)
    rest = period - period.round()
    turn = torch.polar(torch.ones(()), 2 * math.pi * frequencies_hz()[None, :] * rest[:, None] / SAMPLE_RATE_HZ)
    return torch.where(voiced[:, None], disagreement(left, right * turn), torch.ones(()))


def disagreement(left: Tensor, right: Tensor) -> Tensor:
    """One minus the normalised correlation of two spectra (T, BINS) per band, clamped to 0.001-1."""
    bands = []
    for low, high in pairwise(APERIODICITY_EDGES_HZ):
        at = slice(round(low * FFT / SAMPLE_RATE_HZ), round(high * FFT / SAMPLE_RATE_HZ) + 1)
        product = (left[:, at] * right[:, at].conj()).real.sum(1)
        power = left[:, at].abs().square().sum(1) * right[:, at].abs().square().sum(1)
        bands.append(1.0 - product / torch.sqrt(power + 1e-20))
    return torch.stack(bands, dim=1).clamp(0.001, 1.0)
