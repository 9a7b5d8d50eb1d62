"""How loud audio is: as a whole, frame by frame, and while somebody speaks."""

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.02
FLOOR_DBFS = -120.0
"""What digital silence is called, so that no level is infinite."""
ACTIVE_RANGE_DB = 30.0
"""A frame is active within this much of the loud frames: speech between its vowels and its consonants."""
LOUD_PERCENTILE = 95.0


def rms_dbfs(samples: NDArray[np.float32]) -> float:
    """Root mean square of samples (N,), in dB relative to full scale 1.0; at least ``FLOOR_DBFS``."""
    if len(samples) == 0:
        return FLOOR_DBFS
    return _decibels(float(np.mean(np.square(samples, dtype=np.float64))))


def peak_dbfs(samples: NDArray[np.float32]) -> float:
    """Largest magnitude of samples (N,), in dB relative to full scale; at least ``FLOOR_DBFS``."""
    return _decibels(float(np.max(np.abs(samples), initial=0.0)) ** 2)


def frame_levels_dbfs(samples: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float64]:
    """Level of each 20 ms frame, shape (N // frame,). A rest too short for a frame is left out unless it is all."""
    size = max(1, round(FRAME_S * sample_rate_hz))
    if len(samples) < size:
        return np.array([rms_dbfs(samples)])
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))
    return levels


def loud_level_dbfs(levels: NDArray[np.float64]) -> float:
    """The level only one frame in twenty passes: that of vowels, whatever the pauses."""
    return float(np.percentile(levels, LOUD_PERCENTILE))


def active_frames(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which frames hold sound that counts, shape as ``levels``."""
    mask: NDArray[np.bool_] = levels > max(loud_level_dbfs(levels) - ACTIVE_RANGE_DB, FLOOR_DBFS)
    return mask


def active_level_dbfs(levels: NDArray[np.float64]) -> float:
    """Mean power over the active frames, in dBFS (in the spirit of ITU-T P.56)."""
    active = levels[active_frames(levels)]
    if len(active) == 0:
        return FLOOR_DBFS
    return _decibels(float(np.mean(10 ** (active / 10))))


def _decibels(power: float) -> float:
    return max(FLOOR_DBFS, 10 * float(np.log10(power))) if power > 0 else FLOOR_DBFS
