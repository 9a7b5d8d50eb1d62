"""Fundamental frequency: normalised cross-correlation and a Viterbi path through its peaks.

After D. Talkin, "A robust algorithm for pitch tracking (RAPT)", in Speech Coding and Synthesis, 1995.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthesis.engines.embedded.grid import BLOCK_FRAMES, HOP, SAMPLE_RATE_HZ
from synthesis.engines.torchaudio_loader import load_torchaudio

LOWEST_HZ, HIGHEST_HZ = 55.0, 500.0
RATE_HZ = 8000
HOP_LOW = HOP * RATE_HZ // SAMPLE_RATE_HZ
WINDOW = 160
"""20 ms at RATE_HZ."""
SHORTEST, LONGEST = int(RATE_HZ / HIGHEST_HZ), int(RATE_HZ / LOWEST_HZ) + 1
TRANSFORM = 512
CANDIDATES = 6
UNVOICED_SCORE = 0.55
"""A frame is voiced if its correlation, path considered, beats this."""
LAG_BIAS = 0.12
"""Shorter periods win over their multiples by this much at the longest lag."""
OCTAVE_COST = 0.7
SWITCH_COST = 0.25
QUIET = 3e-4
"""Share of the recording's loudest energy under which correlation no longer counts."""

Block = Callable[[int, int], None]
"""Called as ``(frames done, frames in all)`` after every block."""


def track(samples: Tensor, after_block: Block) -> Tensor:
    """F0 in Hz, 0 where unvoiced, shape (T,), of ``samples`` (N,) at 24 kHz, T = N // HOP + 1."""
    frames = samples.numel() // HOP + 1
    low = load_torchaudio().functional.resample(samples, SAMPLE_RATE_HZ, RATE_HZ)
    before = (WINDOW + (SHORTEST + LONGEST) // 2) // 2
    padded = torch.nn.functional.pad(low, (before, WINDOW + LONGEST + HOP_LOW * 2))
    windows = padded.unfold(0, WINDOW + LONGEST, HOP_LOW)[:frames]
    loudest = float((windows[:, :WINDOW].square().sum(1)).max()) if frames else 0.0
    scores, lags = [], []
    for start in range(0, frames, BLOCK_FRAMES):
        block = correlate(windows[start : start + BLOCK_FRAMES], loudest * QUIET + 1e-9)
        score, lag = peaks(block)
        scores.append(score)
        lags.append(lag)
        after_block(min(start + BLOCK_FRAMES, frames), 2 * frames)
    path = best_path(torch.cat(scores).numpy(), torch.cat(lags).numpy(), after_block)
    return torch.from_numpy(path)


def correlate(windows: Tensor, floor: float) -> Tensor:
    """Normalised cross-correlation (T, LONGEST + 1) of windows (T, WINDOW + LONGEST), lag 0 first."""
    windows = windows - windows.mean(1, keepdim=True)
    head = torch.fft.rfft(windows[:, :WINDOW], TRANSFORM)
    product: Tensor = torch.fft.irfft(torch.conj(head) * torch.fft.rfft(windows, TRANSFORM), TRANSFORM)[
        :, : LONGEST + 1
    ]
    energy = torch.nn.functional.pad(windows.square().cumsum(1), (1, 0))
    moved = (energy[:, WINDOW:] - energy[:, : LONGEST + 1]).clamp_min(0.0)
    normalised: Tensor = product / torch.sqrt(moved[:, :1] * moved + (floor * floor))
    return normalised


def peaks(correlation: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and lags in samples, both (T, CANDIDATES), of the highest local maxima, refined by a parabola."""
    inner = correlation[:, SHORTEST:-1]
    left, right = correlation[:, SHORTEST - 1 : -2], correlation[:, SHORTEST + 1 :]
    bias = LAG_BIAS * torch.arange(SHORTEST, SHORTEST + inner.shape[1]) / LONGEST
    is_peak = (inner >= left) & (inner > right) & (inner > 0.2)
    score = torch.where(is_peak, inner - bias, torch.full_like(inner, -1.0))
    best, index = score.topk(CANDIDATES, dim=1)
    before, at, after = (side.gather(1, index) for side in (left, inner, right))
    curve = (before - 2 * at + after).clamp_max(-1e-6)
    shift = (0.5 * (before - after) / curve).clamp(-0.5, 0.5)
    return best, index + SHORTEST + shift


def best_path(scores: NDArray[np.float32], lags: NDArray[np.float32], after_block: Block) -> NDArray[np.float32]:
    """F0 (T,) along the cheapest path; state 0 is unvoiced."""
    frames = scores.shape[0]
    octaves = np.log2(RATE_HZ / lags)
    gain = np.concatenate([np.full((frames, 1), UNVOICED_SCORE, np.float32), scores], axis=1)
    came_from = np.zeros(gain.shape, np.int64)
    total = gain[0].copy()
    for frame in range(1, frames):
        cost = np.full((CANDIDATES + 1, CANDIDATES + 1), SWITCH_COST, np.float32)
        cost[0, 0] = 0.0
        cost[1:, 1:] = OCTAVE_COST * np.abs(octaves[frame - 1][:, None] - octaves[frame][None, :])
        options = total[:, None] - cost
        came_from[frame] = options.argmax(0)
        total = options.max(0) + gain[frame]
        if frame % BLOCK_FRAMES == 0:
            after_block(frames + frame, 2 * frames)
    states = np.zeros(frames, np.int64)
    states[-1] = int(total.argmax()) if frames else 0
    for frame in range(frames - 1, 0, -1):
        states[frame - 1] = came_from[frame, states[frame]]
    f0 = (RATE_HZ / lags)[np.arange(frames), np.maximum(states - 1, 0)]
    return np.where(states > 0, f0, 0.0).astype(np.float32)
