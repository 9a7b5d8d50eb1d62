"""A canonical WAV to the format somebody downloads, with its recipe in the tags.

Same input, same bytes: no dates, no random stream serials, no library versions (FFmpeg's ``bitexact``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthesis.audio.errors import AudioError, AudioProblem
from synthesis.audio.wav import SAMPLE_RATE_HZ, Check, go_on, inspect_wav, join_wavs, read_blocks
from synthesis.vocabulary import AudioFormat


@dataclass(frozen=True, slots=True)
class _Recipe:
    muxer: str
    codec: str
    rate_hz: int
    bit_rate: int
    sample_format: str
    compression_level: int
    """How hard the encoder tries, in its own scale. Measured by bench/save_stage.py."""


BLOCK_SAMPLES = SAMPLE_RATE_HZ
"""Encoded between two checks: one second of audio, some ten milliseconds of work."""

_RECIPES: Mapping[AudioFormat, _Recipe] = {
    AudioFormat.FLAC: _Recipe("flac", "flac", SAMPLE_RATE_HZ, 0, "s16", compression_level=5),
    # 96 kbit/s mono at 24 kHz (MPEG-2 Layer III) is past the point where speech differs audibly.
    # LAME's level 7 takes half the time of its default and is as close to the original at this bit rate.
    AudioFormat.MP3: _Recipe("mp3", "libmp3lame", SAMPLE_RATE_HZ, 96_000, "s16p", compression_level=7),
    # Opus knows 48 kHz and its whole fractions only; 48 kbit/s is transparent for mono speech.
    # Complexity 5 takes a third of the time of its default, 10, at the same distance from the original.
    AudioFormat.OGG: _Recipe("ogg", "libopus", 48_000, 48_000, "s16", compression_level=5),
}


def encode(
    source_wav: Path, target: Path, audio_format: AudioFormat, tags: Mapping[str, str], check: Check = go_on
) -> None:
    """Write ``source_wav`` (mono PCM16) to ``target`` in ``audio_format``, in bounded memory.

    Keys of ``tags`` are lower-case words: ``title``, ``artist``, ``comment`` and any of your own. WAV keeps only
    those in ``wav.INFO_KEYS``; the other formats keep all of them.
    Raises AudioError if the source is no canonical WAV, OSError if the target cannot be written.
    """
    if audio_format is AudioFormat.WAV:
        join_wavs([source_wav], target, tags=tags, check=check)
    else:
        _encode(source_wav, target, _RECIPES[audio_format], dict(tags), check)


def read_tags(source: Path) -> dict[str, str]:
    """The tags of a file that ``encode`` or ``write_wav`` wrote, keys in lower case.

    For files of the portal's own only: foreign ones are read in a child process (``decode``).
    Raises AudioError(unreadable).
    """
    import av  # noqa: PLC0415 -- a web process imports this module and seldom needs the library

    with source.open("rb") as file:
        if file.read(4) == b"RIFF":
            return dict(inspect_wav(source).tags)
    try:
        with av.open(str(source), "r", options={"format_whitelist": "flac,mp3,ogg"}) as container:
            found = dict(container.metadata)
            for stream in container.streams.audio:
                found.update(stream.metadata)
    except av.error.FFmpegError as error:
        raise AudioError(AudioProblem.UNREADABLE, f"{type(error).__name__}: {error}") from error
    return {key.lower(): value for key, value in found.items()}


def _encode(source_wav: Path, target: Path, recipe: _Recipe, tags: dict[str, str], check: Check) -> None:
    import av  # noqa: PLC0415 -- a web process imports this module and never encodes

    rate_hz = inspect_wav(source_wav).sample_rate_hz
    options = {"fflags": "+bitexact"}
    with av.open(str(target), "w", format=recipe.muxer, options=options) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(
            recipe.codec, rate=recipe.rate_hz, layout="mono", format=recipe.sample_format
        )
        stream.codec_context.options = {"compression_level": str(recipe.compression_level)}
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if recipe.bit_rate:
            stream.bit_rate = recipe.bit_rate
        # Now, so that a source of next to no samples still gives a file.
        container.start_encoding()
        resampler = av.AudioResampler(recipe.sample_format, "mono", recipe.rate_hz)
        position = 0
        for block in read_blocks(source_wav, BLOCK_SAMPLES):
            check()
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = rate_hz
            frame.pts = position
            position += len(block)
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
