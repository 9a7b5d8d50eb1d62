"""One request: its text to tokens, mel and samples, whole or in chunks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from synthesis.engines.base import Report, SegmentRequest, ShouldStop, TextUnspeakable
from synthesis.engines.cosyvoice3 import llm
from synthesis.engines.cosyvoice3.decoder import SpeechStream, as_tensor, at_speed
from synthesis.engines.cosyvoice3.flow import FlowPrompt, FlowStream
from synthesis.engines.cosyvoice3.frontend import VoiceFeatures
from synthesis.engines.cosyvoice3.loading import Models
from synthesis.engines.cosyvoice3.options import Options
from synthesis.engines.cosyvoice3.sampling import RepetitionAware, Sampler
from synthesis.engines.cosyvoice3.silence import without_long_silences
from synthesis.engines.cosyvoice3.text import Script, script_of
from synthesis.vocabulary import Stage

LLM_SHARE = 0.45
"""Share of the acoustic stage that the language model takes, for honest progress; the flow takes the rest."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What ``prepare`` returns."""

    features: VoiceFeatures
    transcript: str

    def flow_prompt(self) -> FlowPrompt:
        return FlowPrompt(self.features.tokens, self.features.mel, self.features.embedding)


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
