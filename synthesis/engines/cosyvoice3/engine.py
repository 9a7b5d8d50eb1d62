"""The CosyVoice 3 engine: one segment of text in, its speech in the reference's voice out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import torch

from synthesis.engines.base import (
    AudioChunk,
    EngineError,
    Fingerprint,
    OutOfMemory,
    ReferenceVoice,
    Report,
    SegmentRequest,
    ShouldStop,
    Stopped,
    WeightsUnusable,
)
from synthesis.engines.code_version import hash_of_files
from synthesis.engines.cosyvoice3 import llm
from synthesis.engines.cosyvoice3.flow import FlowStream
from synthesis.engines.cosyvoice3.folder import weights_hash
from synthesis.engines.cosyvoice3.frontend import STEPS, VoiceCache
from synthesis.engines.cosyvoice3.loading import Models, load_models
from synthesis.engines.cosyvoice3.options import Options, manner, use_threads
from synthesis.engines.cosyvoice3.solver import TooLong
from synthesis.engines.cosyvoice3.together import Together
from synthesis.engines.cosyvoice3.work import Voice, Work
from synthesis.engines.problems import code_of
from synthesis.vocabulary import Stage

SOURCES = ("*.py", "*.txt")
"""What the engine's version is a hash of."""
LIBRARIES = ("torch", "torchaudio", "numpy", "onnxruntime", "tokenizers", "wetext", "inflect")


class CosyVoice3Engine:
    """See ``synthesis.engines.base.Engine`` for the contract."""

    name = "cosyvoice3"
    sample_rate_hz = 24_000
    clones = True

    def __init__(self, models: Models, options: Options, cache_dir: Path, weights: str) -> None:
        """``weights``: the hash of the model files."""
        self._models: Models | None = models
        self._options = options
        self.streams = options.streaming
        self.at_once = options.rows
        self._solved: tuple[Voice, FlowStream] | None = None
        self._solving = threading.Lock()
        self._device = models.llm.device
        # On CUDA for one row too: only a batch's step is a recorded graph.
        together = options.rows > 1 or self._device.type == "cuda"
        self._together = Together(models.llm, options.rows, options.threads) if together else None
        self._weights = weights
        self._version = hash_of_files(Path(__file__).parent, *SOURCES)
        self._cache = VoiceCache(cache_dir / self.name, f"{self._version[:8]}{weights[:8]}")

    def prepare(self, voice: ReferenceVoice, report: Report, should_stop: ShouldStop) -> Voice:
        """The voice's features, from the disk if they were measured before. Raises ReferenceUnusable, Stopped."""
        if should_stop():
            raise Stopped
        features = self._cache.get(voice.key)
        if features is None:
            use_threads(self._options.threads)
            with memory_named(), torch.inference_mode():
                features = self._loaded().front.features(voice, report, should_stop)
            self._cache.put(voice.key, features)
        report(Stage.EXTRACT, STEPS, STEPS)
        return Voice(features, voice.transcript)

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        """24 kHz mono, a chunk for each piece of the text, or many if streaming.

        Raises TextUnspeakable, OutOfMemory, Stopped.
        """
        models = self._loaded()
        use_threads(self._options.threads)
        decode = self._together.decode if self._together else partial(llm.decode, models.llm)
        work = Work(models, decode, self._options, request, report, should_stop)
        streamed = self._options.streaming and request.speed == 1.0
        with memory_named():
            spoken = work.streamed(self._prompt(request.features, should_stop)) if streamed else work.whole()
            for samples in spoken:
                yield AudioChunk(samples.cpu().numpy())

    def _prompt(self, voice: Voice, should_stop: ShouldStop) -> FlowStream:
        """A stream that has solved the voice's recording; kept for the job's other segments. Raises Stopped."""
        with self._solving:
            if self._solved is None or self._solved[0] is not voice:
                self._solved = None  # before the next one: a second of recording takes 180 MB
                stream = FlowStream(self._loaded().decoder.flow, voice.flow_prompt())
                stream.solve_prompt(should_stop=should_stop)
                self._solved = voice, stream
            return self._solved[1]

    def release(self) -> None:
        """Give up the solved recording, and freed blocks of the GPU to it."""
        self._solved = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def fingerprint(self) -> Fingerprint:
        return Fingerprint(
            engine=self.name,
            version=self._version,
            weights=self._weights,
            device=device_name(self._device),
            precision=", ".join(manner(self._options)),
            libraries={name: installed(name) for name in LIBRARIES},
        )

    def device_bytes(self) -> int:
        return torch.cuda.memory_reserved(self._device) if self._device.type == "cuda" else 0

    def close(self) -> None:
        if self._together is not None:
            self._together.close()
        self._models = self._together = None
        self.release()

    def _loaded(self) -> Models:
        if self._models is None:
            raise EngineError("The engine was closed.")
        return self._models


@contextmanager
def memory_named() -> Iterator[None]:
    """Whatever says that memory ran out, on the processor or a GPU, becomes OutOfMemory; TooLong an EngineError."""
    try:
        yield
    except EngineError:
        raise
    except TooLong as problem:
        raise EngineError(f"The text is too long to speak at once: {problem}.") from problem
    except Exception as problem:
        if code_of(problem) != OutOfMemory.code:
            raise
        raise OutOfMemory(str(problem) or type(problem).__name__) from problem


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, threads: {torch.get_num_threads()}"


def load_chosen(
    *, cache_dir: Path, model_dir: Path | None = None, keep_least: bool = False, **choices: Any
) -> CosyVoice3Engine:
    """``load`` as an operator chooses, by name: ``keep_least`` of the decoding, all else a field of ``Options``."""
    options = Options(decoding=llm.DecodeOptions(keep_least=keep_least), **choices)
    return load(cache_dir=cache_dir, model_dir=model_dir, options=options)


def load(*, cache_dir: Path, model_dir: Path | None = None, options: Options | None = None) -> CosyVoice3Engine:
    """The engine with the weights in ``model_dir``. Raises WeightsUnusable, naming the file, or OutOfMemory."""
    if model_dir is None:
        raise WeightsUnusable("No model directory is set: COSYVOICE_MODEL_DIR names the folder of the weights.")
    if not model_dir.is_dir():
        raise WeightsUnusable(f"{model_dir} is no folder; COSYVOICE_MODEL_DIR names the folder of the weights.")
    options = options or Options()
    with memory_named():
        models = load_models(model_dir, options)
    return CosyVoice3Engine(models, options, cache_dir, weights_hash(model_dir))
