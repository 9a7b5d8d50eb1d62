"""Canonical WAV files: same samples, same bytes; joined without holding them in memory."""

import hashlib
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from synthesis.audio.errors import AudioError, AudioProblem
from synthesis.audio.wav import (
    from_pcm16,
    info_chunk,
    inspect_wav,
    join_wavs,
    read_wav,
    to_pcm16,
    wav_header,
    write_wav,
)
from tests.unit.audio.makers import encoded, raw_wav, speechlike, tone

TAGS = {"title": "你好，世界", "artist": "cosyweb", "comment": '{"seed": 5, "text": "今天"}'}


def test_every_pcm_value_survives_the_way_through_float() -> None:
    every = np.arange(-32_768, 32_768).astype("<i2")
    assert np.array_equal(to_pcm16(from_pcm16(every)), every)


def test_float_is_rounded_to_even_and_clipped() -> None:
    floats = np.array([0.5 / 32_768, 1.5 / 32_768, 1.0, 2.0, -1.0, -2.0, np.nan, np.inf, -np.inf], np.float32)
    assert to_pcm16(floats).tolist() == [0, 2, 32_767, 32_767, -32_768, -32_768, 0, 32_767, -32_768]


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    samples = from_pcm16(to_pcm16(speechlike(1.0)))
    write_wav(tmp_path / "a.wav", samples, tags=TAGS)
    again, rate_hz = read_wav(tmp_path / "a.wav")
    assert rate_hz == 24_000
    assert again.dtype == np.float32
    assert np.array_equal(again, samples)


def test_the_bytes_are_pinned(tmp_path: Path) -> None:
    """A change here changes the checksum of every output: it needs a new recipe version."""
    write_wav(tmp_path / "a.wav", np.array([0, 0.25, -0.5, 1], np.float32), tags={"title": "t"})
    digest = hashlib.sha256((tmp_path / "a.wav").read_bytes()).hexdigest()
    assert digest == "5207a4f368c335c960fe2c77d0a08786bb5a75dff4d615b5da201bc8011aa5a7"


def test_others_can_read_it(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(1.0), tags=TAGS)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (
            1,
            2,
            24_000,
            24_000,
        )


def test_tags_come_back(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1), tags={**TAGS, "unknown": "has no place"})
    assert inspect_wav(tmp_path / "a.wav").tags == TAGS


@pytest.mark.parametrize("value", ["", "a", "ab", "\0", "a\0b"])
def test_a_chunk_has_even_length_whatever_the_tag(value: str) -> None:
    assert len(info_chunk({"title": value})) % 2 == 0


def test_stereo_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mono"):
        write_wav(tmp_path / "a.wav", np.zeros((10, 2), np.float32))


def test_more_than_riff_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        wav_header(1 << 31)


def test_segments_are_joined_with_pauses_between_them(tmp_path: Path) -> None:
    parts = [from_pcm16(to_pcm16(tone(0.1, hertz=hertz))) for hertz in (200, 300, 400)]
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    for path, part in zip(paths, parts, strict=True):
        write_wav(path, part, tags=TAGS)
    count = join_wavs(paths, tmp_path / "joined.wav", pauses=[100, 50], tags=TAGS)
    expected = np.concatenate([parts[0], np.zeros(100), parts[1], np.zeros(50), parts[2]])
    joined, _ = read_wav(tmp_path / "joined.wav")
    assert count == len(expected)
    assert np.array_equal(joined, expected)
    assert inspect_wav(tmp_path / "joined.wav").tags == TAGS


def test_joining_gives_the_file_that_writing_at_once_gives(tmp_path: Path) -> None:
    samples = speechlike(1.0)
    write_wav(tmp_path / "a.wav", samples[:10_000])
    write_wav(tmp_path / "b.wav", samples[10_000:])
    write_wav(tmp_path / "whole.wav", samples)
    join_wavs([tmp_path / "a.wav", tmp_path / "b.wav"], tmp_path / "joined.wav")
    assert (tmp_path / "joined.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_joining_an_hour_takes_little_memory(tmp_path: Path) -> None:
    write_wav(tmp_path / "minute.wav", np.zeros(24_000 * 60, np.float32))
    tracemalloc.start()
    join_wavs([tmp_path / "minute.wav"] * 20, tmp_path / "joined.wav", pauses=24_000 * 60)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2 << 20


@pytest.mark.parametrize("pauses", [-1, [1], [1, 2, 3], [-1, 5]])
def test_pauses_must_fit_the_gaps(pauses: int | list[int], tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1))
    with pytest.raises(ValueError, match="gaps"):
        join_wavs([tmp_path / "a.wav"] * 3, tmp_path / "joined.wav", pauses=pauses)


def test_files_of_different_rates_are_not_joined(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1))
    write_wav(tmp_path / "b.wav", tone(0.1), 16_000)
    with pytest.raises(ValueError, match="sample rate"):
        join_wavs([tmp_path / "a.wav", tmp_path / "b.wav"], tmp_path / "joined.wav")
    with pytest.raises(ValueError, match="must exist"):
        join_wavs([], tmp_path / "joined.wav")


def test_a_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1))
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:1001])
    samples, _ = read_wav(tmp_path / "a.wav")
    assert len(samples) == (1001 - 44) // 2


def test_only_mono_pcm16_is_read(tmp_path: Path) -> None:
    for path in (
        raw_wav(tmp_path / "stereo.wav", bytes(40), channels=2),
        raw_wav(tmp_path / "deep.wav", bytes(40), bits=24),
        raw_wav(tmp_path / "float.wav", bytes(40), kind=3, bits=32),
    ):
        with pytest.raises(AudioError) as refusal:
            read_wav(path)
        assert refusal.value.code is AudioProblem.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", b"text" * 20]
)
def test_what_is_no_wav_is_unreadable(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError) as refusal:
        read_wav(tmp_path / "a.wav")
    assert refusal.value.code is AudioProblem.UNREADABLE


def test_a_wav_that_another_program_wrote_is_read(tmp_path: Path) -> None:
    encoded(tmp_path / "a.wav", "wav", "pcm_s16le", rate_hz=16_000)
    samples, rate_hz = read_wav(tmp_path / "a.wav")
    assert (len(samples), rate_hz) == (32_000, 16_000)
