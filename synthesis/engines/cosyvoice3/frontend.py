"""A reference recording to what the models need of it: speech tokens, mel, speaker embedding."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthesis.engines.base import ReferenceUnusable, ReferenceVoice, Report, ShouldStop, Stopped, WeightsUnusable
from synthesis.engines.cosyvoice3 import audio
from synthesis.engines.whole_file import write_whole
from synthesis.vocabulary import Stage

logger = logging.getLogger(__name__)

SPEECH_TOKENIZER = "speech_tokenizer_v3.onnx"
SPEAKER_ENCODER = "campplus.onnx"

LONGEST_S = 30.0
SHORTEST_S = 0.5
QUIETEST = 1e-4
SPEAKER_DIM = 192
MEL_BANDS = 80
MEL_PER_TOKEN = 2
POLL_S = 0.05
"""Between two looks at the stop flag while an ONNX model works."""
STEPS = 4
"""Of the extract stage: waves, speech tokens, speaker, mel."""


@dataclass(frozen=True, slots=True)
class VoiceFeatures:
    """What a voice is to the models; P speech tokens of 40 ms. On the CPU."""

    tokens: Tensor
    """(P,) int64."""
    mel: Tensor
    """(2P, 80) float32, natural log."""
    embedding: Tensor
    """(192,) float32."""


class FrontEnd:
    """The two ONNX models of the published directory. Calls are independent of each other."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Raises WeightsUnusable, naming the file."""
        self._tokenizer = OnnxModel(folder / SPEECH_TOKENIZER, threads)
        self._speaker = OnnxModel(folder / SPEAKER_ENCODER, threads)

    def features(self, voice: ReferenceVoice, report: Report, should_stop: ShouldStop) -> VoiceFeatures:
        """Tokens and mel are cut to the same length. Raises ReferenceUnusable, Stopped."""

        def step(done: int) -> None:
            if should_stop():
                raise Stopped
            report(Stage.EXTRACT, done, STEPS)

        step(0)
        wave = checked(voice)
        heard = audio.at_rate(wave, voice.sample_rate_hz, audio.TOKENIZER_RATE_HZ)
        step(1)
        tokens = self.speech_tokens(heard, should_stop)
        step(2)
        embedding = self.embedding(heard, should_stop)
        step(3)
        mel = audio.flow_mel(audio.at_rate(wave, voice.sample_rate_hz, audio.MEL_RATE_HZ))[0].T
        features = aligned(tokens, mel, embedding)
        step(4)
        return features

    def speech_tokens(self, wave: Tensor, should_stop: ShouldStop) -> Tensor:
        """16 kHz (1, n) → (N,) int64 at 25 Hz. Raises Stopped."""
        log_mel = audio.whisper_log_mel(wave)
        ids = self._tokenizer(should_stop, log_mel.numpy(), np.array([log_mel.shape[2]], dtype=np.int32))
        return torch.from_numpy(ids.astype(np.int64)).flatten()

    def embedding(self, wave: Tensor, should_stop: ShouldStop) -> Tensor:
        """16 kHz (1, n) → (192,). Raises Stopped."""
        frames = audio.without_mean(audio.kaldi_fbank(wave))
        numbers = self._speaker(should_stop, frames.unsqueeze(0).numpy())
        return torch.from_numpy(numbers.astype(np.float32)).reshape(SPEAKER_DIM)


class OnnxModel:
    """One ONNX file on the CPU; its first output for its inputs in the file's order."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises WeightsUnusable, naming the file."""
        if not path.is_file():
            raise WeightsUnusable(f"{path} is missing.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsUnusable(f"{path} is no ONNX model, or a damaged one: {error}") from error
        self._inputs = [value.name for value in self._session.get_inputs()]

    def __call__(self, should_stop: ShouldStop, *values: NDArray[Any]) -> NDArray[Any]:
        """Works in a thread of its own, so that this one can look at the stop flag. Raises Stopped."""
        feeds = dict(zip(self._inputs, values, strict=True))
        options = onnxruntime.RunOptions()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._session.run, None, feeds, options)
            while not wait([running], POLL_S).done:
                if should_stop():
                    options.terminate = True  # felt between two operations; leaving the pool waits for that
                    raise Stopped
        return np.asarray(running.result()[0])


def checked(voice: ReferenceVoice) -> Tensor:
    """The recording as (1, n) float32, level and offset untouched. Raises ReferenceUnusable."""
    samples = np.asarray(voice.samples, dtype=np.float32).reshape(-1)
    if voice.sample_rate_hz < audio.TOKENIZER_RATE_HZ:
        raise ReferenceUnusable("The reference has fewer than 16,000 samples a second; the voice in it is too dull.")
    if not np.isfinite(samples).all():
        raise ReferenceUnusable("The reference recording is damaged: it holds samples that are no numbers.")
    duration_s = samples.size / voice.sample_rate_hz
    if not SHORTEST_S <= duration_s <= LONGEST_S:
        raise ReferenceUnusable(f"The reference recording lasts {duration_s:.1f} s; the model needs 0.5 s to 30 s.")
    if float(np.sqrt(np.mean(np.square(samples)))) < QUIETEST:
        raise ReferenceUnusable("The reference recording is silent.")
    return torch.from_numpy(samples.copy()).unsqueeze(0)


def aligned(tokens: Tensor, mel: Tensor, embedding: Tensor) -> VoiceFeatures:
    """Tokens (N,) and mel (T, 80) cut to P = min(N, T // 2) tokens and 2P frames."""
    length = min(len(tokens), len(mel) // MEL_PER_TOKEN)
    return VoiceFeatures(tokens[:length].clone(), mel[: MEL_PER_TOKEN * length].contiguous(), embedding)


class VoiceCache:
    """Features on disk by voice key. A file that cannot be read counts as absent.

    ``version`` names the code and the models that measure, so that other measurements are never met.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version[:16]

    def get(self, key: str) -> VoiceFeatures | None:
        try:
            return unpacked(torch.load(self._path(key), map_location="cpu", weights_only=True))
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the answer is to measure again
            logger.warning("Cached voice features are damaged and are measured again: %s", type(error).__name__)
            return None

    def put(self, key: str, features: VoiceFeatures) -> None:
        """Keep ``features``; a disk that refuses costs a warning, not the job."""
        values = {"tokens": features.tokens, "mel": features.mel, "embedding": features.embedding}
        try:
            write_whole(self._path(key), values)
        except OSError as error:
            logger.warning("Voice features could not be cached: %s", error.strerror)

    def _path(self, key: str) -> Path:
        if not re.fullmatch(r"[0-9A-Za-z_-]{1,128}", key):
            raise ValueError(f"{key!r} is no voice key")
        return self._folder / f"{key}.{self._version}.pt"


def unpacked(values: dict[str, Any]) -> VoiceFeatures:
    """What ``put`` stored. Raises KeyError, TypeError or ValueError for anything else."""
    tokens, mel, embedding = (values[name] for name in ("tokens", "mel", "embedding"))
    if not all(isinstance(value, Tensor) for value in (tokens, mel, embedding)):
        raise TypeError("not voice features")
    shapes = (tokens.shape, mel.shape, embedding.shape)
    if shapes != ((len(tokens),), (MEL_PER_TOKEN * len(tokens), MEL_BANDS), (SPEAKER_DIM,)):
        raise ValueError("not voice features")
    return VoiceFeatures(tokens, mel, embedding)
