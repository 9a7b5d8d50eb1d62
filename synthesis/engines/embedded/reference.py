"""A reference recording, made fit for analysis."""

import numpy as np
import torch
from torch import Tensor

from synthesis.engines.base import ReferenceUnusable, ReferenceVoice
from synthesis.engines.embedded.grid import SAMPLE_RATE_HZ
from synthesis.engines.torchaudio_loader import load_torchaudio

LONGEST_S = 30.0
"""A longer recording teaches nothing more and takes longer."""
LEVEL = 0.1
QUIETEST = 1e-4


def cleaned(voice: ReferenceVoice) -> Tensor:
    """The first 30 s of ``voice`` as (N,) float32 at 24 kHz, without offset, at -20 dBFS.

    Raises ReferenceUnusable if samples are missing, not finite or silent.
    """
    samples = np.asarray(voice.samples, dtype=np.float32).reshape(-1)
    if voice.sample_rate_hz < 4000:
        raise ReferenceUnusable("The reference has fewer than 4000 samples a second; no voice can be followed in it.")
    samples = samples[: int(LONGEST_S * voice.sample_rate_hz)]
    if samples.size == 0:
        raise ReferenceUnusable("The reference recording is empty.")
    if not np.isfinite(samples).all():
        raise ReferenceUnusable("The reference recording is damaged: it holds samples that are no numbers.")
    centred = torch.from_numpy(samples - samples.mean())
    level = float(centred.square().mean().sqrt())
    if level < QUIETEST:
        raise ReferenceUnusable("The reference recording is silent.")
    at_rate: Tensor = load_torchaudio().functional.resample(
        centred * (LEVEL / level), voice.sample_rate_hz, SAMPLE_RATE_HZ
    )
    return at_rate
