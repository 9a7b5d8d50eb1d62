"""Files that lie, bombs, and playlists in disguise: a typed error, soon, and nothing left behind."""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from synthesis.audio import decode as decode_module
from synthesis.audio.decode import decode
from synthesis.audio.errors import AudioError, AudioProblem
from tests.unit.audio.makers import encoded, pcm, raw_wav, tone

CHILD = Path(decode_module.__file__).with_name("decoder_child.py")


def problem(path: Path, *, max_duration_s: float = 30) -> AudioProblem:
    with pytest.raises(AudioError) as refusal:
        decode(path, max_duration_s=max_duration_s)
    assert refusal.value.detail
    return refusal.value.code


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"This is a text, whatever it is called.\n" * 100,
        "\ufeffUTF-16 begins like MPEG audio".encode("utf-16"),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"%PDF-1.7\n" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        b"<html><body>404</body></html>",
        b"RIFF\x24\0\0\0WAVE",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
        b"fLaC",
        b"OggS",
        b"\x1a\x45\xdf\xa3",
        b"\0\0\0\x1cftypM4A ",
        b"ID3",
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(50),
        b"\xff\xfb\x90\x64",
        b"\xff\xf1\x50\x80",
        b"fLaC" + bytes(5000),
    ],
)
def test_what_is_no_audio_is_unreadable(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(content)
    assert problem(path) is AudioProblem.UNREADABLE


@pytest.mark.parametrize("magic", [b"FORM\0\0\0\0AIFF", b"#!AMR\n", b"caff\0\x01", b"MThd", b"RIFF\0\0\0\0AVI "])
def test_audio_that_is_not_on_the_list_is_unsupported(magic: bytes, tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(magic + bytes(200))
    assert problem(path) is AudioProblem.UNSUPPORTED_FORMAT


def test_a_codec_that_is_not_on_the_list_is_unsupported(tmp_path: Path) -> None:
    speex = 0xA109
    path = raw_wav(tmp_path / "a.wav", bytes(4000), kind=speex, rate_hz=8_000)
    assert problem(path) is AudioProblem.UNSUPPORTED_FORMAT


def test_a_film_without_sound_has_no_audio_stream(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    assert problem(path) is AudioProblem.NO_AUDIO_STREAM


@pytest.mark.parametrize("playlist", ["#EXTM3U\n#EXTINF:1,\nfile://{}\n", "ffconcat version 1.0\nfile '{}'\n"])
def test_a_playlist_never_reads_another_file(playlist: str, tmp_path: Path) -> None:
    canary = raw_wav(tmp_path / "canary.wav", pcm(tone()))
    evil = tmp_path / "evil.wav"
    evil.write_text(playlist.format(canary))
    assert problem(evil) is AudioProblem.UNREADABLE


@pytest.mark.parametrize(
    ("demuxer", "playlist"),
    [
        ("hls", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{}\n"),
        ("concat", "ffconcat version 1.0\nfile '{}'\n"),
    ],
)
def test_even_a_demuxer_that_follows_playlists_cannot_open_anything(
    demuxer: str, playlist: str, tmp_path: Path
) -> None:
    canary = encoded(tmp_path / "canary.aac", "adts", "aac")
    evil = tmp_path / "evil.wav"
    evil.write_text(playlist.format(canary))
    with evil.open("rb") as file:
        answer = subprocess.run(
            [sys.executable, "-I", str(CHILD), demuxer, "30"], stdin=file, capture_output=True, check=False
        )
    assert b'"error"' in answer.stdout
    assert b'"seconds"' not in answer.stdout


def test_the_child_can_open_no_file_and_no_socket() -> None:
    code = (
        f"import runpy, socket; child = runpy.run_path({str(CHILD)!r}, run_name='child'); child['enter_sandbox']()\n"
        "for attempt in (lambda: open('/etc/passwd'), socket.socket):\n"
        "    try: attempt()\n"
        "    except OSError as error: print(error.errno)\n"
    )
    answer = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["24", "24"]


def test_a_header_of_one_hertz_is_refused(tmp_path: Path) -> None:
    assert problem(raw_wav(tmp_path / "a.wav", bytes(1000), rate_hz=1)) is AudioProblem.BAD_SAMPLE_RATE


def test_a_header_of_a_megahertz_is_refused(tmp_path: Path) -> None:
    assert problem(raw_wav(tmp_path / "a.wav", bytes(1000), rate_hz=1_000_000)) is AudioProblem.BAD_SAMPLE_RATE


@pytest.mark.parametrize("channels", [3, 8, 255])
def test_more_than_two_channels_are_refused(channels: int, tmp_path: Path) -> None:
    path = raw_wav(tmp_path / "a.wav", bytes(channels * 2 * 100), channels=channels)
    assert problem(path) is AudioProblem.TOO_MANY_CHANNELS


def test_eight_channels_of_flac_are_refused(tmp_path: Path) -> None:
    assert problem(encoded(tmp_path / "a.flac", "flac", "flac", layout="7.1")) is AudioProblem.TOO_MANY_CHANNELS


def test_an_hour_of_silence_is_refused_after_its_first_minute(tmp_path: Path) -> None:
    path = encoded(tmp_path / "bomb.flac", "flac", "flac", samples=np.zeros(8_000 * 3600, np.float32), rate_hz=8_000)
    assert path.stat().st_size < 1 << 20
    began = time.monotonic()
    assert problem(path, max_duration_s=60) is AudioProblem.TOO_LONG
    assert time.monotonic() - began < 2


def test_a_header_that_claims_four_gigabytes_gives_what_is_there(tmp_path: Path) -> None:
    path = raw_wav(tmp_path / "a.wav", pcm(tone()), claimed=0xFFFFFFF0)
    assert decode(path, max_duration_s=30).duration_s == pytest.approx(2.0)


def test_a_file_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mp3", "mp3", "libmp3lame")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0.5 < decode(path, max_duration_s=30).duration_s < 1.5


def test_a_header_without_samples_is_unreadable(tmp_path: Path) -> None:
    assert problem(raw_wav(tmp_path / "a.wav", b"")) is AudioProblem.UNREADABLE


def test_samples_that_are_not_numbers_are_silenced_or_refused(tmp_path: Path) -> None:
    samples = tone()
    samples[100:110] = np.nan
    samples[200] = np.inf
    scratched = decode(raw_wav(tmp_path / "a.wav", samples.tobytes(), kind=3, bits=32), max_duration_s=30)
    assert np.isfinite(scratched.samples).all()
    assert float(np.abs(scratched.samples).max()) <= 1.0
    broken = raw_wav(tmp_path / "b.wav", np.full(48_000, np.nan, np.float32).tobytes(), kind=3, bits=32)
    assert problem(broken) is AudioProblem.UNREADABLE


def test_a_file_of_too_many_bytes_is_not_even_opened(tmp_path: Path) -> None:
    path = raw_wav(tmp_path / "a.wav", bytes(5000))
    with pytest.raises(AudioError) as refusal:
        decode(path, max_duration_s=30, max_bytes=4000)
    assert refusal.value.code is AudioProblem.TOO_LARGE


def test_a_decoder_that_does_not_end_is_ended(tmp_path: Path) -> None:
    path = raw_wav(tmp_path / "a.wav", pcm(tone()))
    with pytest.raises(AudioError) as refusal:
        decode(path, max_duration_s=30, wall_clock_s=0.001)
    assert refusal.value.code is AudioProblem.DECODE_TIMEOUT


def test_a_decoder_that_only_computes_runs_out_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    child.write_text("import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 3))\nwhile True: pass")
    monkeypatch.setattr(decode_module, "_CHILD", child)
    assert problem(raw_wav(tmp_path / "a.wav", pcm(tone()))) is AudioProblem.DECODE_TIMEOUT


@pytest.mark.parametrize(
    "script",
    [
        "import sys; sys.stdout.write('1')",
        "import sys; sys.stdout.buffer.write(b'2' + (7).to_bytes(4, 'little') + bytes(7))",
        "import sys; sys.stdout.buffer.write(b'1' + (2**32 - 1).to_bytes(4, 'little'))",
        "import sys; sys.stdout.buffer.write(b'J' + (2).to_bytes(4, 'little') + b'[]')",
        "import sys; sys.stdout.buffer.write(b'J' + (2).to_bytes(4, 'little') + b'{}')",
        "import sys; sys.stdout.buffer.write(b'J' + (17).to_bytes(4, 'little') + b'{\"error\": \"what\"}')",
        "import sys\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))",
        "import os; os.abort()",
        "raise SystemExit(3)",
    ],
)
def test_a_decoder_taken_over_cannot_take_the_portal_along(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.py"
    child.write_text(script)
    monkeypatch.setattr(decode_module, "_CHILD", child)
    assert problem(raw_wav(tmp_path / "a.wav", pcm(tone()))) is AudioProblem.UNREADABLE


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    good, bad = raw_wav(folder / "a.wav", pcm(tone())), folder / "b.wav"
    bad.write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    decode(good, max_duration_s=30)
    problem(bad)
    assert sorted(path.name for path in folder.iterdir()) == ["a.wav", "b.wav"]


MUTABLE = {
    "wav": ("wav", "pcm_s16le", {}),
    "flac": ("flac", "flac", {}),
    "mp3": ("mp3", "libmp3lame", {}),
    "ogg": ("ogg", "libopus", {}),
    "webm": ("webm", "libopus", {"live": "1"}),
    "m4a": ("ipod", "aac", {}),
    "aac": ("adts", "aac", {}),
}


@pytest.mark.parametrize("kind", MUTABLE)
def test_damaged_headers_end_in_sound_or_in_a_typed_error(kind: str, tmp_path: Path) -> None:
    muxer, codec, options = MUTABLE[kind]
    original = encoded(tmp_path / "original", muxer, codec, samples=tone(0.5, 48_000), options=options).read_bytes()
    dice = random.Random(f"seed of {kind}")  # noqa: S311 -- repeatable damage, no secret

    def survive(number: int) -> float:
        path = tmp_path / f"{number}"
        path.write_bytes(mutants[number])
        began = time.monotonic()
        try:
            audio = decode(path, max_duration_s=30)
        except AudioError:
            pass
        else:
            assert np.isfinite(audio.samples).all()
            assert audio.duration_s <= 31
        return time.monotonic() - began

    mutants = [mutated(original, dice) for _ in range(25)]
    with ThreadPoolExecutor(2) as pool:
        slowest = max(pool.map(survive, range(len(mutants))))
    assert slowest < 10, "a damaged header kept the decoder busy"


def mutated(original: bytes, dice: random.Random) -> bytes:
    """The magic bytes stay, so that the damage reaches the demuxer."""
    data = bytearray(original)
    for _ in range(dice.randint(1, 12)):
        at = dice.randrange(12, min(len(data), 400))
        data[at] = dice.choice((0x00, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    if dice.random() < 0.2:
        del data[dice.randrange(12, len(data)) :]
    return bytes(data)
