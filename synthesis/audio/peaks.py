"""A waveform small enough to draw."""

import numpy as np
from numpy.typing import NDArray

FULL = 255
A_SECOND = 40


def of_speech(samples: NDArray[np.float32], sample_rate_hz: int) -> list[int]:
    """Peaks of samples (N,) for the waveform of a job: as many a second whether it is a segment or a chunk of one."""
    return peaks(samples, max(1, round(len(samples) / sample_rate_hz * A_SECOND)))


def peaks(samples: NDArray[np.float32], count: int) -> list[int]:
    """The largest magnitude in each of ``count`` equal stretches of samples (N,), 0 to 255 for 0.0 to 1.0.

    Fewer samples than ``count`` give one value per sample. Raises ValueError if ``count`` is below 1.
    """
    if count < 1:
        raise ValueError("a waveform has at least one peak")
    count = min(count, len(samples))
    if count == 0:
        return []
    edges = np.linspace(0, len(samples), count, endpoint=False).astype(np.int64)
    heights = np.maximum.reduceat(np.abs(samples), edges)
    # Upwards, so that a whisper still shows as a line.
    scaled = np.ceil(np.clip(np.nan_to_num(heights), 0.0, 1.0) * FULL)
    return [int(height) for height in scaled]
