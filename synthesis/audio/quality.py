"""Is a recording fit to be a reference voice? Findings in codes and numbers; sentences are the web layer's."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from synthesis.audio.decode import DecodedAudio
from synthesis.audio.level import active_frames, active_level_dbfs, frame_levels_dbfs, loud_level_dbfs

MIN_DURATION_S = 1.0
MAX_DURATION_S = 30.0
"""CosyVoice 3 takes at most 30 s of prompt audio."""
MIN_SAMPLE_RATE_HZ = 16_000
"""Below it the consonants above 8 kHz and the speech tokenizer's input are missing."""
SILENT_DBFS = -50.0
"""Loud frames of speech at arm's length from a poor microphone still pass it."""
QUIET_DBFS = -38.0
"""Usual speech files have an active level near -26 dBFS."""
FULL_SCALE = 0.985
"""Resampling rings around a flat top by a little; what passes this counts as full scale."""
CLIPPED_SHARE = 0.002
LONG_SILENCE_S = 1.5
NOISY_RANGE_DB = 12.0
"""Between its pauses and its vowels speech in a room spans more than 20 dB."""
NARROW_EDGE_HZ = 4_500
NARROW_RATIO_DB = -55.0
"""Above 4.5 kHz speech keeps 20 to 40 dB below the whole; an 8 kHz recording, resampled, 65 dB and less (measured)."""


class Severity(StrEnum):
    REFUSE = "refuse"
    WARN = "warn"


class QualityCode(StrEnum):
    """Stable codes, with the keys of ``Finding.values`` each has."""

    TOO_SHORT = "too_short"
    """duration_s, minimum_s"""
    TOO_LONG = "too_long"
    """duration_s, maximum_s"""
    SILENT = "silent"
    """level_dbfs"""
    CLIPPED = "clipped"
    """share (0 to 1 of all samples)"""
    LOW_SAMPLE_RATE = "low_sample_rate"
    """sample_rate_hz, recommended_hz"""
    NARROW_BAND = "narrow_band"
    """high_band_db: what is above 4.5 kHz, against the whole. The file's rate promises more than it holds."""
    QUIET = "quiet"
    """level_dbfs"""
    LONG_SILENCE = "long_silence"
    """leading_s, trailing_s"""
    NOISY = "noisy"
    """range_db between background and speech"""


@dataclass(frozen=True, slots=True)
class Finding:
    code: QualityCode
    severity: Severity
    values: Mapping[str, float]


def assess(audio: DecodedAudio) -> tuple[Finding, ...]:
    """What speaks against ``audio`` as a reference voice: reasons to refuse first, then warnings; empty if fine."""
    levels = frame_levels_dbfs(audio.samples, audio.sample_rate_hz)
    refusals = [*_duration(audio), *_silence(levels)]
    warnings = [*_sample_rate(audio), *_clipping(audio.samples)]
    if not any(finding.code is QualityCode.SILENT for finding in refusals):
        warnings += [*_narrow_band(audio), *_loudness(levels), *_edges(levels, audio), *_noise(levels)]
    return (*refusals, *warnings)


def refused(findings: tuple[Finding, ...]) -> bool:
    """Whether any of the findings rules the recording out."""
    return any(finding.severity is Severity.REFUSE for finding in findings)


def _refuse(code: QualityCode, **values: float) -> list[Finding]:
    return [Finding(code, Severity.REFUSE, values)]


def _warn(code: QualityCode, **values: float) -> list[Finding]:
    return [Finding(code, Severity.WARN, values)]


def _duration(audio: DecodedAudio) -> list[Finding]:
    duration_s = audio.duration_s
    if duration_s < MIN_DURATION_S:
        return _refuse(QualityCode.TOO_SHORT, duration_s=round(duration_s, 3), minimum_s=MIN_DURATION_S)
    if duration_s > MAX_DURATION_S:
        return _refuse(QualityCode.TOO_LONG, duration_s=round(duration_s, 3), maximum_s=MAX_DURATION_S)
    return []


def _silence(levels: NDArray[np.float64]) -> list[Finding]:
    loud = loud_level_dbfs(levels)
    return _refuse(QualityCode.SILENT, level_dbfs=round(loud, 1)) if loud < SILENT_DBFS else []


def _sample_rate(audio: DecodedAudio) -> list[Finding]:
    rate_hz = audio.source_sample_rate_hz
    if rate_hz >= MIN_SAMPLE_RATE_HZ:
        return []
    return _warn(QualityCode.LOW_SAMPLE_RATE, sample_rate_hz=rate_hz, recommended_hz=MIN_SAMPLE_RATE_HZ)


def _clipping(samples: NDArray[np.float32]) -> list[Finding]:
    share = float(np.mean(np.abs(samples) >= FULL_SCALE)) if len(samples) else 0.0
    return _warn(QualityCode.CLIPPED, share=round(share, 4)) if share >= CLIPPED_SHARE else []


def _narrow_band(audio: DecodedAudio) -> list[Finding]:
    if audio.source_sample_rate_hz < MIN_SAMPLE_RATE_HZ:
        return []
    size = 1024
    if len(audio.samples) < size:
        return []
    frames = audio.samples[: len(audio.samples) // size * size].reshape(-1, size)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))).sum(axis=0)
    edge = round(NARROW_EDGE_HZ / audio.sample_rate_hz * size)
    ratio_db = 10 * float(np.log10(max(float(power[edge:].sum()), 1e-20) / max(float(power.sum()), 1e-20)))
    return _warn(QualityCode.NARROW_BAND, high_band_db=round(ratio_db, 1)) if ratio_db < NARROW_RATIO_DB else []


def _loudness(levels: NDArray[np.float64]) -> list[Finding]:
    level = active_level_dbfs(levels)
    return _warn(QualityCode.QUIET, level_dbfs=round(level, 1)) if level < QUIET_DBFS else []


def _edges(levels: NDArray[np.float64], audio: DecodedAudio) -> list[Finding]:
    active = np.flatnonzero(active_frames(levels))
    if len(active) == 0:
        return []
    frame_s = audio.duration_s / len(levels)
    leading_s, trailing_s = int(active[0]) * frame_s, (len(levels) - 1 - int(active[-1])) * frame_s
    if max(leading_s, trailing_s) < LONG_SILENCE_S:
        return []
    return _warn(QualityCode.LONG_SILENCE, leading_s=round(leading_s, 2), trailing_s=round(trailing_s, 2))


def _noise(levels: NDArray[np.float64]) -> list[Finding]:
    span = loud_level_dbfs(levels) - float(np.percentile(levels, 5))
    return _warn(QualityCode.NOISY, range_db=round(span, 1)) if span < NOISY_RANGE_DB else []
