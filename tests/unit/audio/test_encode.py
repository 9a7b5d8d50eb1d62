"""Outputs in every format: the same sound, the same bytes each time, the recipe inside."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from synthesis.audio import encode as encode_module
from synthesis.audio.decode import decode
from synthesis.audio.encode import encode, read_tags
from synthesis.audio.errors import AudioError, AudioProblem
from synthesis.audio.wav import from_pcm16, read_wav, to_pcm16, write_wav
from synthesis.vocabulary import AudioFormat
from tests.unit.audio.makers import raw_wav, speechlike

RECIPE = json.dumps(
    {"text": "今天天气真好，我们去公园散步吧。" * 200, "seed": 1986, "=;#\\\n": "hard to escape"}, ensure_ascii=False
)
TAGS = {"title": "你好 & welcome", "artist": "cosyweb · 声音", "comment": RECIPE}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.wav"
    write_wav(path, speechlike(3.0))
    return path


@pytest.mark.parametrize("audio_format", AudioFormat)
def test_the_sound_survives(audio_format: AudioFormat, source: Path, tmp_path: Path) -> None:
    target = tmp_path / f"target.{audio_format}"
    encode(source, target, audio_format, TAGS)
    before, _ = read_wav(source)
    after = decode(target, max_duration_s=30)
    assert len(after.samples) == pytest.approx(len(before), abs=1)
    count = min(len(before), len(after.samples))
    assert float(np.corrcoef(before[:count], after.samples[:count])[0, 1]) > 0.98
    assert after.source_format == audio_format.value


@pytest.mark.parametrize("audio_format", [AudioFormat.WAV, AudioFormat.FLAC])
def test_lossless_formats_keep_every_sample(audio_format: AudioFormat, source: Path, tmp_path: Path) -> None:
    encode(source, tmp_path / "target", audio_format, TAGS)
    before, _ = read_wav(source)
    after = decode(tmp_path / "target", max_duration_s=30).samples
    assert np.array_equal(to_pcm16(after), to_pcm16(before))
    assert np.array_equal(from_pcm16(to_pcm16(after)), before)


@pytest.mark.parametrize("audio_format", AudioFormat)
def test_the_same_input_gives_the_same_bytes(audio_format: AudioFormat, source: Path, tmp_path: Path) -> None:
    for name in ("once", "again"):
        encode(source, tmp_path / name, audio_format, TAGS)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize("audio_format", AudioFormat)
def test_the_recipe_is_inside(audio_format: AudioFormat, source: Path, tmp_path: Path) -> None:
    encode(source, tmp_path / "target", audio_format, TAGS)
    assert {key: read_tags(tmp_path / "target").get(key) for key in TAGS} == TAGS


@pytest.mark.parametrize("audio_format", [AudioFormat.FLAC, AudioFormat.MP3, AudioFormat.OGG])
def test_own_tags_are_kept_where_a_format_has_room(audio_format: AudioFormat, source: Path, tmp_path: Path) -> None:
    encode(source, tmp_path / "target", audio_format, {"cosyweb_seed": "1986"})
    assert read_tags(tmp_path / "target")["cosyweb_seed"] == "1986"


@pytest.mark.parametrize("audio_format", AudioFormat)
def test_a_single_sample_is_enough(audio_format: AudioFormat, tmp_path: Path) -> None:
    write_wav(tmp_path / "source.wav", np.array([0.5], np.float32))
    encode(tmp_path / "source.wav", tmp_path / "target", audio_format, {})
    assert (tmp_path / "target").stat().st_size > 0


def test_only_a_canonical_wav_is_encoded(tmp_path: Path) -> None:
    stereo = raw_wav(tmp_path / "source.wav", bytes(400), channels=2)
    with pytest.raises(AudioError) as refusal:
        encode(stereo, tmp_path / "target", AudioFormat.MP3, {})
    assert refusal.value.code is AudioProblem.UNSUPPORTED_FORMAT
    assert not (tmp_path / "target").exists()


def test_tags_of_what_is_no_audio_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no audio")
    with pytest.raises(AudioError) as refusal:
        read_tags(tmp_path / "a.mp3")
    assert refusal.value.code is AudioProblem.UNREADABLE


def test_encoders_are_told_how_hard_to_try(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opus = encode_module._RECIPES[AudioFormat.OGG]
    encode(source, tmp_path / "chosen.ogg", AudioFormat.OGG, TAGS)
    hardest = {**encode_module._RECIPES, AudioFormat.OGG: dataclasses.replace(opus, compression_level=10)}
    monkeypatch.setattr(encode_module, "_RECIPES", hardest)
    encode(source, tmp_path / "hardest.ogg", AudioFormat.OGG, TAGS)
    assert (tmp_path / "chosen.ogg").read_bytes() != (tmp_path / "hardest.ogg").read_bytes()
