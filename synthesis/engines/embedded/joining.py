"""Silence around and between the runs of a segment."""

import torch
from torch import Tensor

from synthesis.engines.embedded.espeak import Utterance, is_sound
from synthesis.engines.embedded.features import Features
from synthesis.engines.embedded.grid import APERIODICITY_BANDS, BINS, FRAMES_PER_S, SAMPLE_RATE_HZ

EDGE_S = 0.04
"""Kept before the first and after the last sound."""
SOUND = 0.004
"""-48 dBFS; eSpeak's own silence is exact."""
SILENCE_LOG_POWER = -23.0
PAUSE_S = {",": 0.16, ";": 0.2, ":": 0.18, ".": 0.32, "!": 0.32, "?": 0.32, "、": 0.12, "。": 0.32}
WORD_GAP_S = 0.0


def trimmed(samples: Tensor, utterance: Utterance) -> Tensor:
    """``samples`` (N,) at 24 kHz of an utterance without the silence about it, but for EDGE_S."""
    loud = (samples.abs() > SOUND).nonzero().squeeze(1)
    if loud.numel() == 0:
        return samples
    edge = int(EDGE_S * SAMPLE_RATE_HZ)
    starts = [phone.start_s for phone in utterance.phones if is_sound(phone)]
    first = min(int(loud[0]), int(starts[0] * SAMPLE_RATE_HZ)) if starts else int(loud[0])
    padded = torch.nn.functional.pad(samples, (edge, edge))
    return padded[first : int(loud[-1]) + 1 + 2 * edge]


def pause_after(text: str) -> float:
    """Seconds of silence that the last sign of ``text`` asks for."""
    return PAUSE_S.get(text.rstrip()[-1:], WORD_GAP_S)


def silence(seconds: float) -> Features:
    """Features of ``seconds`` of nothing."""
    frames = round(seconds * FRAMES_PER_S)
    return Features(
        torch.zeros(frames), torch.full((frames, BINS), SILENCE_LOG_POWER), torch.ones(frames, APERIODICITY_BANDS)
    )


def joined(parts: list[Features]) -> Features:
    """``parts`` one after another."""
    return Features(
        torch.cat([part.f0 for part in parts]),
        torch.cat([part.envelope for part in parts]),
        torch.cat([part.aperiodicity for part in parts]),
    )
