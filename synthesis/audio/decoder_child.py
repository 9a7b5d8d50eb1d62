"""The throw-away process that meets foreign bytes. Run by ``decode``; never imported by the portal.

    python -I decoder_child.py DEMUXER MAX_DURATION_S  < file  > records

It gets the file as standard input and learns no path. Once its libraries are loaded it gives up the right to
open anything (RLIMIT_NOFILE), so a playlist, a data reference or a network address inside the file cannot be
followed whatever the decoder thinks of it; and it drops root if it has it.

A record is one byte of kind, a little-endian uint32 of payload size, and the payload:
``1`` or ``2``: float32 samples of so many interleaved channels at 24 kHz; ``J``: the last record, JSON.
"""

import contextlib
import json
import os
import resource
import struct
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import av
import av.audio.frame
import av.error
import av.filter
import av.subtitles.stream  # loaded late by av, when nothing can be opened any more

TARGET_RATE_HZ = 24_000
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 2
MAX_BAD_PACKETS = 200
"""Players skip damaged packets; after so many this is not a recording with scratches but something else."""

ROUNDING_S = 1e-6
MEMORY_BYTES = 512 << 20
"""Of address space. Measured: 130 MiB are enough for every format, libraries included; 37 MiB of it resident."""
CPU_SECONDS = 20
CODECS = frozenset(
    "flac mp3 mp3float opus libopus vorbis aac alac adpcm_ms adpcm_ima_wav pcm_alaw pcm_mulaw pcm_u8 pcm_s8 "  # noqa: SIM905
    "pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_f32le pcm_f32be pcm_f64le pcm_f64be".split()
)
"""What telephones, browsers and recorders write. No other decoder runs, be it for a cover picture."""


class Refusal(Exception):
    """Ends the run with a code of ``AudioProblem``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def limit(kind: int, amount: int, hard: int | None = None) -> None:
    """Lower a limit for good. macOS knows no limit of the address space: no reason to refuse work."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (amount, amount if hard is None else hard))


def enter_sandbox() -> None:
    """From here on: bounded memory and time, no new descriptor, no file growth, no root."""
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_AS, MEMORY_BYTES)
    # The soft limit ends the process by SIGXCPU, which the parent can tell from a plain kill.
    limit(resource.RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 2)
    limit(resource.RLIMIT_FSIZE, 0)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65_534)
        os.setuid(65_534)
    limit(resource.RLIMIT_NOFILE, 3)


def emit(kind: bytes, payload: bytes) -> None:
    sys.stdout.buffer.write(kind + struct.pack("<I", len(payload)))
    sys.stdout.buffer.write(payload)


def finish(fields: dict[str, Any]) -> NoReturn:
    emit(b"J", json.dumps(fields).encode())
    sys.stdout.buffer.flush()
    # Teardown of a demuxer that has just met a hostile file is time and risk for nothing.
    os._exit(0)


class Converter:
    """Frames of any rate and format to interleaved float32 at 24 kHz; one filter graph per kind of frame.

    The graph is built here rather than by ``av.AudioResampler`` because that one starts a thread per processor,
    each with its own stack and heap inside the memory limit.
    """

    def __init__(self) -> None:
        self.kind: tuple[str, str, int] | None = None
        self.graph: Any = None
        self.channels = 0
        self.samples = 0

    def push(self, frame: Any) -> None:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self.kind:
            self.flush()
            self._build(frame)
            self.kind = kind
        frame.pts = None
        self.graph.push(frame)
        self._drain()

    def flush(self) -> None:
        if self.graph is not None:
            self.graph.push(None)
            self._drain()
            self.graph = None

    def _build(self, frame: Any) -> None:
        self.channels = frame.layout.nb_channels
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add(
            "abuffer",
            sample_rate=str(frame.sample_rate),
            sample_fmt=frame.format.name,
            channel_layout=frame.layout.name,
            time_base=f"1/{frame.sample_rate}",
        )
        layout = "mono" if self.channels == 1 else "stereo"
        target = graph.add("aformat", sample_rates=str(TARGET_RATE_HZ), sample_fmts="flt", channel_layouts=layout)
        sink = graph.add("abuffersink")
        source.link_to(target)
        target.link_to(sink)
        graph.configure()
        self.graph = graph

    def _drain(self) -> None:
        while True:
            try:
                frame = self.graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            size = frame.samples * self.channels * 4
            emit(b"%d" % self.channels, bytes(frame.planes[0])[:size])
            self.samples += frame.samples


def refuse_open(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise Refusal("unreadable", f"the file asks for another one: {url[:80]!r}")


def open_audio(demuxer: str) -> tuple[Any, Any]:
    """The container on standard input, opened as ``demuxer`` and nothing else, and its first audio stream."""
    options = {
        # The second fence; the first is that nothing can be opened any more.
        "format_whitelist": demuxer,
        "protocol_whitelist": "none",
        "codec_whitelist": ",".join(sorted(CODECS)),
        "probesize": str(1 << 20),
        "max_streams": "16",
    }
    source = os.fdopen(0, "rb", buffering=0)
    container = av.open(source, "r", format=demuxer, options=options, metadata_errors="replace", io_open=refuse_open)
    if not container.streams.audio:
        raise Refusal("no_audio_stream", "the container holds no audio stream")
    stream = container.streams.audio[0]
    name = "unknown" if stream.codec_context is None else stream.codec_context.name
    if name not in CODECS:
        raise Refusal("unsupported_format", f"codec {name} is not supported")
    stream.codec_context.thread_count = 1
    check_frame(stream.codec_context.sample_rate, stream.codec_context.channels)
    return container, stream


def check_frame(rate_hz: int, channels: int) -> None:
    """Refuse what would explode on conversion. Zero means the header does not know yet."""
    if channels > MAX_CHANNELS:
        raise Refusal("too_many_channels", f"{channels} channels, at most {MAX_CHANNELS}")
    if rate_hz and not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise Refusal("bad_sample_rate", f"{rate_hz} Hz, allowed {MIN_RATE_HZ} to {MAX_RATE_HZ}")


def frames(container: Any, stream: Any) -> Iterator[Any]:
    """Decoded frames; damaged packets are skipped as players do."""
    bad = 0
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                bad += 1
                if bad > MAX_BAD_PACKETS:
                    raise Refusal("unreadable", f"{bad} damaged packets") from None
    except (av.error.EOFError, av.error.InvalidDataError):
        # A file cut short: what came before counts.
        return


def decode(demuxer: str, max_duration_s: float) -> dict[str, Any]:
    container, stream = open_audio(demuxer)
    converter = Converter()
    seconds = 0.0
    first: tuple[int, int] | None = None
    for frame in frames(container, stream):
        rate_hz, channels = frame.sample_rate, frame.layout.nb_channels
        check_frame(rate_hz, channels)
        if rate_hz <= 0 or channels <= 0:
            raise Refusal("unreadable", "frames without rate or channels")
        first = first or (rate_hz, channels)
        seconds += frame.samples / rate_hz
        if seconds > max_duration_s + ROUNDING_S:
            raise Refusal("too_long", f"more than {max_duration_s:g} s")
        converter.push(frame)
    converter.flush()
    if first is None or converter.samples == 0:
        raise Refusal("unreadable", "no samples could be decoded")
    return {
        "rate_hz": first[0],
        "channels": first[1],
        "codec": stream.codec_context.name.removesuffix("float"),
        "seconds": seconds,
    }


def main() -> NoReturn:
    enter_sandbox()
    try:
        fields = decode(sys.argv[1], float(sys.argv[2]))
    except Refusal as refusal:
        finish({"error": refusal.code, "detail": str(refusal)})
    except MemoryError:
        finish({"error": "unreadable", "detail": "decoding needs too much memory"})
    except (av.error.FFmpegError, ValueError, OSError) as error:
        finish({"error": "unreadable", "detail": f"{type(error).__name__}: {error}"})
    finish(fields)


if __name__ == "__main__":
    main()
