"""The CosyVoice 3 engine: one segment of text in, its speech in the reference's voice out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

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
    TextUnspeakable,
    WeightsUnusable,
)
from synthesis.engines.code_version import hash_of_files
from synthesis.engines.cosyvoice3 import llm
from synthesis.engines.cosyvoice3.config import read_config
from synthesis.engines.cosyvoice3.decoder import Decoder, SpeechStream, as_tensor, at_speed
from synthesis.engines.cosyvoice3.flow import Flow, FlowPrompt, FlowStream, TooLong, flow_shapes, load_flow
from synthesis.engines.cosyvoice3.folder import FLOW, TEXT_TOKENIZER, VOCODER, weights_hash
from synthesis.engines.cosyvoice3.frontend import STEPS, FrontEnd, VoiceCache, VoiceFeatures
from synthesis.engines.cosyvoice3.linears import PRECISIONS, Precision, fit
from synthesis.engines.cosyvoice3.sampling import RepetitionAware, Sampler
from synthesis.engines.cosyvoice3.silence import without_long_silences
from synthesis.engines.cosyvoice3.text import Script, script_of
from synthesis.engines.cosyvoice3.together import Together
from synthesis.engines.cosyvoice3.tokenizer import END_OF_PROMPT, VOCABULARY, TextTokenizer, load_tokenizer
from synthesis.engines.cosyvoice3.vocoder import load_vocoder, vocoder_shapes
from synthesis.engines.cosyvoice3.weights import read_state
from synthesis.engines.problems import code_of
from synthesis.vocabulary import Stage

SOURCES = ("*.py", "*.txt")
"""What the engine's version is a hash of."""
LIBRARIES = ("torch", "torchaudio", "numpy", "onnxruntime", "tokenizers", "wetext", "inflect")
LLM_SHARE = 0.45
"""Share of the acoustic stage that the language model takes, for honest progress; the flow takes the rest."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine works. The defaults speak as released."""

    device: str = ""
    """A torch device; empty: the first CUDA device if there is one, else the processor."""
    precision: Precision = "float32"
    """Of the language model and the flow. ``int8``, for processors: 8-bit integers in the linear layers of both. The
    vocoder is always float32."""
    threads: int = 0
    """Of torch on a processor, and of the two ONNX models; 0: what torch has. Another number rounds otherwise."""
    rows: int = 1
    """Requests of several threads that the language model decodes in one batch. Another number rounds otherwise."""
    streaming: bool = False
    """Speak in chunks while the language model still works. The flow sees less ahead, so the samples are others.
    A request with a speed of its own is never streamed."""
    full_last_chunk: bool = True
    """Streaming: as released, the last chunk sees everything. False: joined chunks equal one chunk-masked run."""
    normalise_cross_lingual: bool = False
    """As released, numbers in cross-lingual text are not written out."""
    decoding: llm.DecodeOptions = field(default_factory=llm.DecodeOptions)


@dataclass(frozen=True, slots=True)
class Voice:
    """What ``prepare`` returns."""

    features: VoiceFeatures
    transcript: str

    def flow_prompt(self) -> FlowPrompt:
        return FlowPrompt(self.features.tokens, self.features.mel, self.features.embedding)


@dataclass(frozen=True, slots=True)
class Models:
    """All that is loaded. Immutable."""

    front: FrontEnd
    tokenizer: TextTokenizer
    llm: llm.Llm
    decoder: Decoder


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
        self._together = Together(models.llm, options.rows, options.threads) if options.rows > 1 else None
        self._device = models.llm.device
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


class Decode(Protocol):
    """``llm.decode`` of the loaded model, alone or together with others."""

    def __call__(
        self,
        prompt: llm.Prompt,
        sample: Sampler,
        options: llm.DecodeOptions,
        progress: llm.Progress,
        should_stop: ShouldStop,
    ) -> Iterator[int]: ...


class Work:
    """One request. Nothing of it outlives the call."""

    def __init__(
        self,
        models: Models,
        decode: Decode,
        options: Options,
        request: SegmentRequest,
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        """Raises TextUnspeakable."""
        self._models = models
        self._decode = decode
        self._options = options
        self._request = request
        self._report = report
        self._should_stop = should_stop
        self._voice: Voice = request.features
        self._sample = RepetitionAware(torch.Generator().manual_seed(request.seed))
        self._script = self._read()

    def whole(self) -> Iterator[Tensor]:
        """Samples (·,) of one piece after the other. All acoustic work comes first, as the stages do."""
        mels = [self._mel(index) for index in range(len(self._script.pieces))]
        total = sum(mel.shape[1] for mel in mels)
        if not total:
            raise TextUnspeakable(f"The model ended before it said anything: {self._request.text[:60]!r}.")
        done = 0
        self._report(Stage.VOCODER, 0, total)
        for mel in mels:

            def on_frames(frames: int, _: int, before: int = done) -> None:
                self._report(Stage.VOCODER, before + frames, total)

            yield self._models.decoder.vocoder.speak(mel, on_frames=on_frames, should_stop=self._should_stop)
            done += mel.shape[1]

    def streamed(self, prompt: FlowStream) -> Iterator[Tensor]:
        """Samples (·,) as soon as there are enough tokens for them; ``prompt`` has solved the voice's recording."""
        spoken = False
        for index in range(len(self._script.pieces)):
            full_last = self._options.full_last_chunk
            stream = SpeechStream(self._models.decoder, prompt.prompt, full_last=full_last, solved=prompt)
            tokens: list[int] = []
            for token in self._tokens(index, share=1.0):
                tokens.append(token)
                for samples in stream.chunks(tokens, last=False, should_stop=self._should_stop):
                    yield samples
            self._acoustic(index + 1)
            for samples in stream.chunks(tokens, last=True, should_stop=self._should_stop):
                yield samples
            spoken = spoken or bool(tokens)
        if not spoken:
            raise TextUnspeakable(f"The model ended before it said anything: {self._request.text[:60]!r}.")
        self._report(Stage.VOCODER, 1, 1)

    def _read(self) -> Script:
        request = self._request
        script = script_of(
            request.text,
            request.mode,
            lambda text: len(self._models.tokenizer.encode(text)),
            transcript=self._voice.transcript,
            instruct=request.instruct,
            normalise_cross_lingual=self._options.normalise_cross_lingual,
        )
        if not script.pieces:
            raise TextUnspeakable(f"There is nothing to say in {request.text[:60]!r}.")
        return script

    def _mel(self, index: int) -> Tensor:
        """(80, T) of piece ``index`` at the request's speed; T is 0 if the model said nothing."""
        tokens = list(self._tokens(index, share=LLM_SHARE))
        if not tokens:
            return torch.empty(80, 0)

        def on_step(done: int, total: int) -> None:
            self._acoustic(index + LLM_SHARE + (1 - LLM_SHARE) * done / total)

        mel = self._models.decoder.flow.mel(
            as_tensor(tokens), self._voice.flow_prompt(), on_step=on_step, should_stop=self._should_stop
        )
        return at_speed(mel, self._request.speed)

    def _tokens(self, index: int, share: float) -> Iterator[int]:
        """Speech tokens of piece ``index`` as the model says them; ``share`` of the piece's progress is theirs."""
        features, script = self._voice.features, self._script
        prompt = llm.Prompt(
            text=self._ids(script.pieces[index]),
            prompt_text=self._ids(script.before),
            prompt_speech=features.tokens if script.follows_speech else features.tokens[:0],
        )

        def progress(done: float, expected: float) -> None:
            self._acoustic(index + share * done / expected)

        self._acoustic(index)
        speech = self._decode(prompt, self._sample, self._options.decoding, progress, self._should_stop)
        return without_long_silences(speech)

    def _ids(self, text: str) -> Tensor:
        return torch.tensor(self._models.tokenizer.encode(text), dtype=torch.int64)

    def _acoustic(self, pieces: float) -> None:
        self._report(Stage.ACOUSTIC, pieces, len(self._script.pieces))


def use_threads(number: int) -> None:
    """Let torch compute with so many threads when called from this one; OpenMP counts for each caller by itself."""
    if number:
        torch.set_num_threads(number)


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


def manner(options: Options) -> Iterator[str]:
    """The precision, and what an operator chose that changes the samples."""
    yield options.precision
    if options.streaming:
        yield "streamed" if options.full_last_chunk else "streamed evenly"
    if options.rows > 1:
        yield f"rows: {options.rows}"
    if options.normalise_cross_lingual:
        yield "cross-lingual normalised"
    if options.decoding.keep_least:
        yield "least length kept"


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


def load_models(folder: Path, options: Options) -> Models:
    """Raises WeightsUnusable; the small files come first, so that what is wrong is known soon."""
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    use_threads(options.threads)
    dtype = PRECISIONS[options.precision]
    if options.precision == "int8" and device.type != "cpu":
        raise ValueError("8-bit layers are for processors; on a GPU choose bfloat16.")
    config = read_config(folder)
    tokenizer = load_tokenizer(folder / TEXT_TOKENIZER)
    refuse_other_tokenizer(tokenizer, config.llm.endofprompt_id, config.llm.backbone.vocab_size)
    front = FrontEnd(folder, torch.get_num_threads())
    vocoder_weights = read_state(folder / VOCODER, vocoder_shapes(config.vocoder), drop="generator.")
    vocoder = load_vocoder(config.vocoder, vocoder_weights, device=device)
    flow_weights = read_state(folder / FLOW, flow_shapes(config.flow))
    flow = load_flow(config.flow, flow_weights, device=device, dtype=dtype)
    del flow_weights  # 1.3 GB that the next file needs
    language = llm.load(folder, config.llm, device, dtype)
    fit_linears(language, flow, options.precision)
    return Models(front, tokenizer, language, Decoder(flow, vocoder))


def fit_linears(language: llm.Llm, flow: Flow, precision: Precision) -> None:
    """Linear layers as they are fastest on the models' device; the head, which chooses, stays in floating point."""
    fit(language.blocks, precision, language.device)
    fit(flow.dit.blocks, precision, language.device)
    fit(language, "float32", language.device)


def refuse_other_tokenizer(tokenizer: TextTokenizer, end_of_prompt_id: int, rows: int) -> None:
    """Raise WeightsUnusable if the tokenizer's ids are not those that the language model was trained with."""
    name = f"{TEXT_TOKENIZER}/{VOCABULARY}"
    if tokenizer.size > rows:
        raise WeightsUnusable(f"{name} holds {tokenizer.size} ids; the language model knows {rows}.")
    if tokenizer.end_of_prompt_id != end_of_prompt_id:
        raise WeightsUnusable(
            f"{name} belongs to another model: {END_OF_PROMPT} is {tokenizer.end_of_prompt_id}, not {end_of_prompt_id}."
        )
