"""Spectra of the reference recording against the golden vectors."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from synthesis.engines.cosyvoice3 import audio
from tests.parity.conftest import Tensors


@pytest.fixture(scope="module")
def expected(golden_tensors: Callable[[str], Tensors]) -> Tensors:
    return golden_tensors("frontend_io")


def recording(golden: Path) -> tuple[Tensor, int]:
    """(channels, n) in [-1, 1] and the rate."""
    with wave.open(str(golden / "prompt.wav")) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        samples = frames.reshape(-1, file.getnchannels()).T.astype(np.float32) / 32768
        return torch.from_numpy(samples), file.getframerate()


@pytest.mark.parametrize(("rate_hz", "name"), [(16_000, "wav16k"), (24_000, "wav24k")])
def test_waves_are_mixed_and_resampled(golden: Path, expected: Tensors, rate_hz: int, name: str) -> None:
    samples, own_rate_hz = recording(golden)
    wave_at_rate = audio.at_rate(audio.mono(samples), own_rate_hz, rate_hz)
    torch.testing.assert_close(wave_at_rate, expected[name], atol=1e-5, rtol=0)


def test_whisper_log_mel(expected: Tensors) -> None:
    log_mel = audio.whisper_log_mel(expected["wav16k"])
    torch.testing.assert_close(log_mel, expected["whisper_logmel128"], atol=1e-4, rtol=0)


def test_kaldi_fbank(expected: Tensors) -> None:
    frames = audio.kaldi_fbank(expected["wav16k"])
    torch.testing.assert_close(frames, expected["fbank80"], atol=1e-3, rtol=0)
    torch.testing.assert_close(audio.without_mean(frames), expected["fbank80_meansub"], atol=1e-3, rtol=0)


def test_flow_mel(expected: Tensors) -> None:
    mel = audio.flow_mel(expected["wav24k"])
    torch.testing.assert_close(mel, expected["mel80_24k"], atol=1e-4, rtol=0)
