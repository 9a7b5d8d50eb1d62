"""Audio files made on the spot: every kind that people send, and some that nobody should."""

import struct
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def tone(seconds: float = 2.0, rate_hz: int = 24_000, hertz: float = 220.0, amplitude: float = 0.3) -> Floats:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def speechlike(seconds: float = 4.0, rate_hz: int = 24_000, amplitude: float = 0.25, seed: int = 7) -> Floats:
    """A buzz with overtones and breath in syllables of 150 ms, 100 ms apart: loud, quiet, wide."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    buzz = sum(np.sin(2 * np.pi * 130 * k * at) / k for k in range(1, 30))
    breath = np.random.default_rng(seed).standard_normal(len(at))
    envelope = np.where(at % 0.25 < 0.15, 1.0, 0.003)
    wave = envelope * (buzz + 0.3 * breath)
    return np.asarray(amplitude * wave / np.max(np.abs(wave)), np.float32)


def encoded(
    path: Path,
    muxer: str,
    codec: str,
    *,
    samples: Floats | None = None,
    rate_hz: int = 48_000,
    layout: str = "mono",
    options: dict[str, str] | None = None,
) -> Path:
    """Write ``samples`` (mono, repeated for each channel of ``layout``) with FFmpeg."""
    samples = tone(rate_hz=rate_hz) if samples is None else samples
    with av.open(str(path), "w", format=muxer, options=options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, layout=layout, options={"strict": "experimental"})
        for start in range(0, len(samples), 1 << 16):
            block = samples[start : start + (1 << 16)]
            interleaved = np.repeat(block, stream.layout.nb_channels)[None, :]
            frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
            frame.sample_rate = rate_hz
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def raw_wav(
    path: Path,
    payload: bytes,
    *,
    kind: int = 1,
    channels: int = 1,
    rate_hz: int = 24_000,
    bits: int = 16,
    claimed: int | None = None,
) -> Path:
    """A WAV with any header, true or not; ``claimed`` is the size the data chunk says it has."""
    width = channels * bits // 8
    fmt = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * width & 0xFFFFFFFF, width, bits)
    size = len(payload) if claimed is None else claimed
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", size) + payload
    path.write_bytes(b"RIFF" + struct.pack("<I", (36 + size) & 0xFFFFFFFF) + body)
    return path


def pcm(samples: Floats) -> bytes:
    return bytes(np.rint(samples * 32767).astype("<i2").tobytes())
