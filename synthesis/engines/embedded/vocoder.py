"""Features to sound: minimum-phase pulses and shaped noise, block by block.

Pulse and noise excitation with a cepstrally derived minimum phase, as in WORLD (M. Morise et al., IEICE
Trans. E99-D, 2016).
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from synthesis.engines.embedded.features import Features
from synthesis.engines.embedded.grid import BINS, FFT, HOP, SAMPLE_RATE_HZ, bands_to_bins, between, frequencies_hz

BLOCK_FRAMES = 60
"""0.3 s: the first chunk is out early, and the stop flag is seen every few milliseconds of work."""
HIGH_PASS_HZ = 55.0
JITTER = 0.006
"""Standard deviation of the period, as in healthy voices (about half a per cent)."""


def render(features: Features, generator: torch.Generator) -> Iterator[tuple[Tensor, int]]:
    """Pairs of samples (about BLOCK_FRAMES * HOP,) and frames done; joined, T * HOP samples in all."""
    frames = features.f0.numel()
    places, periods = pulses(features.f0, generator)
    noise = torch.randn(frames * HOP + 2 * HOP, generator=generator)
    tail = torch.zeros(FFT + 2 * HOP)
    for start in range(0, frames, BLOCK_FRAMES):
        stop = min(start + BLOCK_FRAMES, frames)
        length = (stop - start) * HOP
        buffer = torch.zeros(length + FFT + 2 * HOP)
        buffer[: tail.numel()] += tail
        inside = (places >= start * HOP) & (places < stop * HOP)
        add_pulses(buffer, features, places[inside], periods[inside], start * HOP)
        add_noise(buffer, features, noise, start, stop)
        tail = buffer[length:].clone()
        yield buffer[:length], stop


def pulses(f0: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Instants of the glottal pulses in samples and their periods in samples, both (P,) float64."""
    hz = f0.to(torch.float64).repeat_interleave(HOP)
    voiced = hz > 0
    phase = torch.cumsum(torch.where(voiced, hz, torch.zeros((), dtype=torch.float64)) / SAMPLE_RATE_HZ, 0)
    turns = phase.floor()
    crossed = torch.nn.functional.pad(turns[1:] > turns[:-1], (1, 0)) & voiced
    index = crossed.nonzero().squeeze(1)
    over = phase[index] - turns[index]
    period = SAMPLE_RATE_HZ / hz[index]
    shake = torch.randn(index.numel(), generator=generator, dtype=torch.float64).clamp(-2.5, 2.5) * JITTER
    return (index - over * period + shake * period).clamp_min(0.0), period


def add_pulses(buffer: Tensor, features: Features, places: Tensor, periods: Tensor, origin: int) -> None:
    """Add one filtered pulse per instant of ``places`` to ``buffer``, whose first sample is at ``origin``."""
    if places.numel() == 0:
        return
    envelope = between(features.envelope, places / HOP)
    noise = between(features.aperiodicity, places / HOP) @ bands_to_bins()
    whole = (places - origin).floor().clamp_min(0)
    fraction = ((places - origin) - whole).to(torch.float32)
    delay = -2 * math.pi * frequencies_hz()[None, :] * fraction[:, None] / SAMPLE_RATE_HZ
    harmonic = torch.sqrt((1.0 - noise).clamp_min(0.0)) * torch.sqrt(periods.to(torch.float32))[:, None]
    spectrum = minimum_phase(envelope) * torch.polar(harmonic, delay)
    shapes = torch.fft.irfft(spectrum, FFT)
    index = whole.to(torch.int64)[:, None] + torch.arange(FFT)[None, :]
    buffer.index_add_(0, index.reshape(-1), shapes.reshape(-1))


def add_noise(buffer: Tensor, features: Features, noise: Tensor, start: int, stop: int) -> None:
    """Add the noise of frames ``start`` to ``stop`` to ``buffer``; windows of two hops overlap by one."""
    window = torch.hann_window(2 * HOP)
    pieces = noise[start * HOP : (stop + 1) * HOP].unfold(0, 2 * HOP, HOP) * window
    share = torch.sqrt((features.aperiodicity[start:stop] @ bands_to_bins()).clamp(0.0, 1.0))
    spectrum = torch.fft.rfft(pieces, FFT) * minimum_phase(features.envelope[start:stop]) * share
    shapes = torch.fft.irfft(spectrum, FFT)
    length = (stop - start - 1) * HOP + FFT
    folded = torch.nn.functional.fold(shapes.T[None], (1, length), (1, FFT), stride=(1, HOP))
    buffer[:length] += folded.reshape(-1)


def minimum_phase(envelope: Tensor) -> Tensor:
    """Complex spectra (T, BINS) of minimum phase with log power ``envelope`` (T, BINS), without sound under 55 Hz.

    Folding the cepstrum to its causal half: A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing.
    """
    ratio = (frequencies_hz().clamp_min(4.0) / HIGH_PASS_HZ) ** 4
    log_amplitude = 0.5 * (envelope + torch.log(ratio / (1.0 + ratio)))
    cepstrum = torch.fft.irfft(log_amplitude.to(torch.complex64), FFT)
    fold = torch.zeros(FFT)
    fold[0] = fold[FFT // 2] = 1.0
    fold[1 : FFT // 2] = 2.0
    return torch.exp(torch.fft.rfft(cepstrum * fold)[:, :BINS])
