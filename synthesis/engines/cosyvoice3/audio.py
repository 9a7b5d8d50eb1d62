"""What the models see of a recording: resampled waves and three kinds of spectra.

Waves are float32 in [-1, 1], shape (1, n).
"""

import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthesis.engines.torchaudio_loader import load_torchaudio

TOKENIZER_RATE_HZ = 16_000
"""Rate of what the speech tokenizer and the speaker encoder hear."""
MEL_RATE_HZ = 24_000
"""Rate of the mel that the flow continues, and of what the engine speaks."""

MEL_HOP = 480
MEL_WINDOW = 1920
WHISPER_HOP = 160
WHISPER_WINDOW = 400


def mono(wave: Tensor) -> Tensor:
    """(channels, n) → (1, n), the mean of the channels."""
    return wave.mean(dim=0, keepdim=True)


def at_rate(wave: Tensor, rate_hz: int, wanted_hz: int) -> Tensor:
    """(1, n) at ``rate_hz`` → (1, m) at ``wanted_hz``; windowed sinc, 6 zero crossings a side, roll-off 0.99."""
    if rate_hz == wanted_hz:
        return wave
    resampled: Tensor = _resampler(rate_hz, wanted_hz)(wave)
    return resampled


@lru_cache(maxsize=8)
def _resampler(rate_hz: int, wanted_hz: int) -> Any:
    # The transform, not the function: it makes its filter in float64.
    return load_torchaudio().transforms.Resample(rate_hz, wanted_hz)


def whisper_log_mel(wave: Tensor) -> Tensor:
    """16 kHz (1, n) → (1, 128, n // 160). The floor is 8 (a factor of 10⁸) below the whole clip's maximum."""
    window = torch.hann_window(WHISPER_WINDOW)
    spectrum = torch.stft(wave, WHISPER_WINDOW, WHISPER_HOP, window=window, center=True, return_complex=True)
    power = spectrum[..., :-1].abs() ** 2
    mel = slaney_filters(TOKENIZER_RATE_HZ, WHISPER_WINDOW, 128) @ power
    log_mel = mel.clamp(min=1e-10).log10()
    return (log_mel.maximum(log_mel.max() - 8.0) + 4.0) / 4.0


def kaldi_fbank(wave: Tensor) -> Tensor:
    """16 kHz (1, n) → (T, 80) log energies of 25 ms each 10 ms, only of whole windows."""
    energies: Tensor = load_torchaudio().compliance.kaldi.fbank(
        wave, num_mel_bins=80, dither=0.0, sample_frequency=TOKENIZER_RATE_HZ
    )
    return energies


def without_mean(frames: Tensor) -> Tensor:
    """(T, 80) less its mean over time: what a room and a microphone add to every frame is gone."""
    return frames - frames.mean(dim=0, keepdim=True)


def flow_mel(wave: Tensor) -> Tensor:
    """24 kHz (1, n) → (1, 80, n // 480) natural log of the magnitude mel."""
    margin = (MEL_WINDOW - MEL_HOP) // 2
    padded = pad(wave.unsqueeze(1), (margin, margin), mode="reflect").squeeze(1)
    window = torch.hann_window(MEL_WINDOW)
    spectrum = torch.stft(padded, MEL_WINDOW, MEL_HOP, window=window, center=False, return_complex=True)
    magnitude = (torch.view_as_real(spectrum).square().sum(-1) + 1e-9).sqrt()
    return (slaney_filters(MEL_RATE_HZ, MEL_WINDOW, 80) @ magnitude).clamp(min=1e-5).log()


@lru_cache(maxsize=4)
def slaney_filters(rate_hz: int, n_fft: int, bands: int) -> Tensor:
    """(bands, n_fft // 2 + 1): triangles of equal area from 0 to half the rate, on Slaney's mel scale."""
    bins = torch.linspace(0, rate_hz / 2, n_fft // 2 + 1, dtype=torch.float64)
    corners = _slaney_hz(torch.linspace(0, _slaney_mel(rate_hz / 2), bands + 2, dtype=torch.float64))
    widths = corners.diff()
    distance = corners[:, None] - bins[None, :]
    rising = -distance[:-2] / widths[:-1, None]
    falling = distance[2:] / widths[1:, None]
    area = 2.0 / (corners[2:] - corners[:-2])
    return (rising.minimum(falling).clamp(min=0.0) * area[:, None]).float()


# Slaney's scale: linear to 1 kHz (15 mel), from there 27 mel for each factor of 6.4.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = math.log(6.4) / 27.0


def _slaney_mel(hz: float) -> float:
    return hz / _LINEAR_HZ if hz < _BREAK_HZ else _BREAK_MEL + math.log(hz / _BREAK_HZ) / _LOG_STEP


def _slaney_hz(mel: Tensor) -> Tensor:
    return torch.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, _BREAK_HZ * ((mel - _BREAK_MEL) * _LOG_STEP).exp())
