"""What people upload and browsers record comes out as clean mono samples at 24 kHz."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synthesis.audio import decode as decode_module
from synthesis.audio.decode import DecodedAudio, decode
from synthesis.audio.errors import AudioError, AudioProblem
from synthesis.audio.sniff import Container, sniff
from tests.unit.audio.makers import encoded, pcm, raw_wav, tone

KINDS: dict[str, tuple[Callable[[Path], Path], tuple[int, int, str, str]]] = {
    "telephone.wav": (lambda p: encoded(p, "wav", "pcm_s16le", rate_hz=8_000), (8_000, 1, "wav", "pcm_s16le")),
    "alaw.wav": (lambda p: encoded(p, "wav", "pcm_alaw", rate_hz=8_000), (8_000, 1, "wav", "pcm_alaw")),
    "stereo.wav": (
        lambda p: encoded(p, "wav", "pcm_s16le", rate_hz=44_100, layout="stereo"),
        (44_100, 2, "wav", "pcm_s16le"),
    ),
    "studio.wav": (lambda p: encoded(p, "wav", "pcm_s24le", rate_hz=96_000), (96_000, 1, "wav", "pcm_s24le")),
    "float.wav": (lambda p: encoded(p, "wav", "pcm_f32le", rate_hz=24_000), (24_000, 1, "wav", "pcm_f32le")),
    "music.flac": (lambda p: encoded(p, "flac", "flac", rate_hz=44_100, layout="stereo"), (44_100, 2, "flac", "flac")),
    "song.mp3": (lambda p: encoded(p, "mp3", "libmp3lame", rate_hz=44_100, layout="stereo"), (44_100, 2, "mp3", "mp3")),
    "voice.mp3": (lambda p: encoded(p, "mp3", "libmp3lame", rate_hz=16_000), (16_000, 1, "mp3", "mp3")),
    "message.ogg": (lambda p: encoded(p, "ogg", "libopus"), (48_000, 1, "ogg", "opus")),
    "vorbis.ogg": (lambda p: encoded(p, "ogg", "vorbis", layout="stereo"), (48_000, 2, "ogg", "vorbis")),
    "file.webm": (lambda p: encoded(p, "webm", "libopus"), (48_000, 1, "webm", "opus")),
    # What MediaRecorder writes: no duration, no cues, sizes unknown.
    "live.webm": (lambda p: encoded(p, "webm", "libopus", options={"live": "1"}), (48_000, 1, "webm", "opus")),
    "phone.m4a": (lambda p: encoded(p, "ipod", "aac", rate_hz=44_100, layout="stereo"), (44_100, 2, "mp4", "aac")),
    "lossless.m4a": (lambda p: encoded(p, "ipod", "alac", rate_hz=44_100), (44_100, 1, "mp4", "alac")),
    # What Safari's MediaRecorder writes.
    "fragments.mp4": (
        lambda p: encoded(p, "mp4", "aac", rate_hz=48_000, options={"movflags": "frag_keyframe+empty_moov"}),
        (48_000, 1, "mp4", "aac"),
    ),
    "stream.aac": (lambda p: encoded(p, "adts", "aac", rate_hz=44_100), (44_100, 1, "aac", "aac")),
}


def pitch_hz(audio: DecodedAudio) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples * np.hanning(len(audio.samples))))
    return float(np.argmax(spectrum)) * audio.sample_rate_hz / len(audio.samples)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_people_send_is_decoded(name: str, tmp_path: Path) -> None:
    make, (rate_hz, channels, container, codec) = KINDS[name]
    audio = decode(make(tmp_path / name), max_duration_s=30)
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert audio.sample_rate_hz == 24_000
    assert audio.duration_s == pytest.approx(2.0, abs=0.06)
    assert pitch_hz(audio) == pytest.approx(220, abs=2)
    # LAME turns everything down by 5 %.
    assert float(np.sqrt(np.mean(audio.samples**2))) == pytest.approx(0.3 / np.sqrt(2), rel=0.07)
    told = (audio.source_sample_rate_hz, audio.source_channels, audio.source_format, audio.source_codec)
    assert told == (rate_hz, channels, container, codec)


def test_the_same_file_gives_the_same_samples(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.webm", "webm", "libopus")
    once, again = decode(path, max_duration_s=30), decode(path, max_duration_s=30)
    assert np.array_equal(once.samples, again.samples)


def test_canonical_pcm_passes_unchanged(tmp_path: Path) -> None:
    samples = np.arange(-24_000, 24_000, dtype=np.float32) / 32_768
    path = raw_wav(tmp_path / "a.wav", (samples * 32_768).astype("<i2").tobytes())
    assert np.array_equal(decode(path, max_duration_s=30).samples, samples)


def test_a_voice_on_one_of_two_channels_is_heard(tmp_path: Path) -> None:
    both = np.stack([tone(), np.zeros(48_000, np.float32)], axis=1).ravel()
    audio = decode(raw_wav(tmp_path / "a.wav", pcm(both), channels=2), max_duration_s=30)
    assert float(np.max(np.abs(audio.samples))) == pytest.approx(0.15, abs=0.01)


def test_sound_is_taken_from_a_file_with_a_cover_picture(tmp_path: Path) -> None:
    mp3 = encoded(tmp_path / "a.mp3", "mp3", "libmp3lame", options={"id3v2_version": "0", "write_id3v1": "0"})
    picture = b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 800
    frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    mp3.write_bytes(b"ID3\x03\0\0" + size + frame + mp3.read_bytes())
    assert decode(mp3, max_duration_s=30).duration_s == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize(("muxer", "codec", "container"), [("flac", "flac", "flac"), ("adts", "aac", "aac")])
def test_an_id3_tag_may_stand_before_flac_and_aac(muxer: str, codec: str, container: str, tmp_path: Path) -> None:
    path = encoded(tmp_path / "a", muxer, codec)
    path.write_bytes(b"ID3\x04\0\0\0\0\x01\0" + bytes(128) + path.read_bytes())
    audio = decode(path, max_duration_s=30)
    assert audio.source_format == container
    assert audio.duration_s == pytest.approx(2.0, abs=0.06)


def test_the_name_of_a_file_means_nothing(tmp_path: Path) -> None:
    path = encoded(tmp_path / "really-flac.mp3", "flac", "flac")
    assert decode(path, max_duration_s=30).source_format == "flac"


def test_a_file_of_the_longest_length_passes_and_one_more_second_does_not(tmp_path: Path) -> None:
    path = raw_wav(tmp_path / "a.wav", pcm(tone(5.0)))
    assert decode(path, max_duration_s=5).duration_s == 5.0
    with pytest.raises(AudioError) as refusal:
        decode(path, max_duration_s=4)
    assert refusal.value.code is AudioProblem.TOO_LONG


def test_a_missing_file_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "nothing.wav", max_duration_s=30)


def test_the_portal_never_loads_the_decoder_library() -> None:
    code = "import sys, synthesis.audio.decode, synthesis.audio.encode as encode; print('av' in sys.modules)"
    root = Path(decode_module.__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", Container.WAV),
        (b"fLaC\0\0\0\x22", Container.FLAC),
        (b"OggS\0\x02", Container.OGG),
        (b"\x1a\x45\xdf\xa3\x9f", Container.WEBM),
        (b"\0\0\0\x1cftypM4A ", Container.MP4),
        (b"\xff\xf1\x50\x80", Container.AAC),
        (b"\xff\xfb\x90\x64", Container.MP3),
        (b"\xff\xf3\x40\xc4", Container.MP3),
        (b"ID3\x04\0\0\0\0\0\0", Container.MP3),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, container: Container) -> None:
    assert sniff(head) is container
