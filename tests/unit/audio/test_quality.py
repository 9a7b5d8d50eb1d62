"""What is said about a recording before it becomes a voice."""

from pathlib import Path

import numpy as np
import pytest

from synthesis.audio.decode import DecodedAudio, decode
from synthesis.audio.level import FLOOR_DBFS, active_level_dbfs, frame_levels_dbfs, peak_dbfs, rms_dbfs
from synthesis.audio.peaks import peaks
from synthesis.audio.quality import Finding, QualityCode, Severity, assess, refused
from tests.unit.audio.makers import Floats, encoded, speechlike, tone


def audio(samples: Floats, source_rate_hz: int = 24_000) -> DecodedAudio:
    return DecodedAudio(samples, 24_000, source_rate_hz, 1, "wav", "pcm_s16le")


def codes(samples: Floats, source_rate_hz: int = 24_000) -> dict[QualityCode, Finding]:
    return {finding.code: finding for finding in assess(audio(samples, source_rate_hz))}


def test_good_speech_has_no_findings() -> None:
    assert assess(audio(speechlike())) == ()


@pytest.mark.parametrize(("seconds", "code"), [(0.9, QualityCode.TOO_SHORT), (30.5, QualityCode.TOO_LONG)])
def test_length_is_bounded(seconds: float, code: QualityCode) -> None:
    finding = codes(speechlike(seconds))[code]
    assert finding.severity is Severity.REFUSE
    assert finding.values["duration_s"] == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("seconds", [1.0, 30.0])
def test_the_bounds_themselves_are_allowed(seconds: float) -> None:
    assert not refused(assess(audio(speechlike(seconds))))


@pytest.mark.parametrize("amplitude", [0.0, 1e-4, 2e-3])
def test_silence_is_refused(amplitude: float) -> None:
    noise = np.random.default_rng(1).standard_normal(48_000).astype(np.float32)
    found = codes(amplitude * noise)
    assert found[QualityCode.SILENT].severity is Severity.REFUSE
    assert QualityCode.QUIET not in found


def test_nothing_at_all_is_refused() -> None:
    assert refused(assess(audio(np.zeros(0, np.float32))))


def test_a_telephone_is_told_its_rate() -> None:
    finding = codes(speechlike(), 8_000)[QualityCode.LOW_SAMPLE_RATE]
    assert finding.severity is Severity.WARN
    assert finding.values == {"sample_rate_hz": 8_000, "recommended_hz": 16_000}


def test_a_telephone_in_disguise_is_found_out(tmp_path: Path) -> None:
    narrow = decode(
        encoded(tmp_path / "a.wav", "wav", "pcm_s16le", samples=speechlike(rate_hz=8_000), rate_hz=8_000),
        max_duration_s=30,
    )
    assert QualityCode.NARROW_BAND in codes(narrow.samples, 44_100)
    assert QualityCode.NARROW_BAND not in codes(narrow.samples, 8_000)


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100])
def test_clipping_is_seen_through_resampling(rate_hz: int, tmp_path: Path) -> None:
    loud = np.clip(speechlike(rate_hz=rate_hz, amplitude=4.0), -1, 1)
    path = encoded(tmp_path / "a.wav", "wav", "pcm_s16le", samples=loud, rate_hz=rate_hz)
    finding = {found.code: found for found in assess(decode(path, max_duration_s=30))}[QualityCode.CLIPPED]
    assert finding.severity is Severity.WARN
    assert 0.002 < finding.values["share"] < 1


def test_speech_that_just_touches_full_scale_is_not_clipped() -> None:
    assert QualityCode.CLIPPED not in codes(speechlike(amplitude=1.0))


def test_a_whisper_into_the_wrong_end_is_quiet() -> None:
    finding = codes(speechlike(amplitude=0.03))[QualityCode.QUIET]
    assert finding.severity is Severity.WARN
    assert -50 < finding.values["level_dbfs"] < -38


def test_long_silence_at_either_end_is_measured() -> None:
    silence = np.zeros(48_000, np.float32)
    finding = codes(np.concatenate([silence, speechlike(), silence[:6_000]]))[QualityCode.LONG_SILENCE]
    assert finding.values["leading_s"] == pytest.approx(2.0, abs=0.05)
    assert finding.values["trailing_s"] == pytest.approx(0.35, abs=0.05)


def test_noise_under_speech_is_noticed() -> None:
    noise = np.random.default_rng(1).standard_normal(96_000).astype(np.float32) * 0.05
    assert QualityCode.NOISY in codes(speechlike() + noise)


def test_refusals_come_first() -> None:
    findings = assess(audio(speechlike(0.5), 8_000))
    assert [finding.severity for finding in findings] == sorted(
        (f.severity for f in findings), key=list(Severity).index
    )


def test_levels_of_known_signals() -> None:
    assert rms_dbfs(tone(1.0, amplitude=1.0)) == pytest.approx(-3.01, abs=0.01)
    assert peak_dbfs(tone(1.0, amplitude=0.5)) == pytest.approx(-6.02, abs=0.01)
    assert rms_dbfs(np.zeros(0, np.float32)) == FLOOR_DBFS
    assert peak_dbfs(np.zeros(9, np.float32)) == FLOOR_DBFS


def test_pauses_do_not_lower_the_active_level() -> None:
    voice = tone(1.0)
    padded = np.concatenate([voice, np.zeros(72_000, np.float32)])
    both = [active_level_dbfs(frame_levels_dbfs(samples, 24_000)) for samples in (voice, padded)]
    assert both[0] == pytest.approx(both[1], abs=0.1)


def test_peaks_follow_the_loudness() -> None:
    ramp = np.linspace(0, 1, 10_000, dtype=np.float32) * np.where(np.arange(10_000) % 2, 1, -1).astype(np.float32)
    heights = peaks(ramp, 10)
    assert heights == sorted(heights)
    assert heights[-1] == 255
    assert heights[0] == pytest.approx(26, abs=1)


@pytest.mark.parametrize(("samples", "count", "length"), [(0, 10, 0), (3, 10, 3), (1000, 7, 7), (24_000, 400, 400)])
def test_there_are_never_more_peaks_than_samples(samples: int, count: int, length: int) -> None:
    heights = peaks(np.full(samples, 2.0, np.float32), count)
    assert heights == [255] * length


def test_a_waveform_has_at_least_one_peak() -> None:
    with pytest.raises(ValueError, match="at least one"):
        peaks(tone(0.1), 0)
