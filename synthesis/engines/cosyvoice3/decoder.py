"""Speech tokens to samples: the flow, then the vocoder. Whole, or in chunks while tokens still arrive.

Streaming begins with a short chunk and doubles it; every chunk ends where a chunk of the flow's mask ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from synthesis.engines.base import ShouldStop
from synthesis.engines.cosyvoice3.flow import LOOK_AHEAD, Flow, FlowPrompt, FlowStream
from synthesis.engines.cosyvoice3.solver import OnStep
from synthesis.engines.cosyvoice3.vocoder import OnFrames, Vocoder

MAX_HOP_CHUNKS = 4


@dataclass(frozen=True, slots=True)
class Decoder:
    """The two loaded models. Immutable; a request's state is in its ``SpeechStream``."""

    flow: Flow
    vocoder: Vocoder

    def speak(
        self,
        tokens: Tensor,
        prompt: FlowPrompt,
        *,
        speed: float = 1.0,
        chunked: bool = False,
        on_step: OnStep | None = None,
        on_frames: OnFrames | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """(N,) tokens → (960 N / speed,) samples. No tokens are no sound. Raises TooLong, Stopped."""
        if not len(tokens):
            return torch.empty(0)
        mel = self.flow.mel(tokens, prompt, chunked=chunked, on_step=on_step, should_stop=should_stop)
        return self.vocoder.speak(at_speed(mel, speed), on_frames=on_frames, should_stop=should_stop)


class SpeechStream:
    """One request whose tokens arrive bit by bit.

    ``full_last``: the last chunk is solved anew over the whole with every frame seeing every other, as the published
    model does; it costs as much as the whole. Without it the joined chunks equal one chunk-masked run.
    ``first_hop`` is in chunks of the mask (25 tokens); the published server begins a later request with as many as
    the one before had come to, 4 at most.
    ``solved``: a stream of the same voice whose prompt is solved already; it stays as it is.
    """

    def __init__(
        self,
        decoder: Decoder,
        prompt: FlowPrompt,
        *,
        full_last: bool = True,
        first_hop: int = 1,
        solved: FlowStream | None = None,
    ) -> None:
        self.decoder = decoder
        self.prompt = prompt
        self.full_last = full_last
        self.flow = solved.copy() if solved else FlowStream(decoder.flow, prompt)
        self.voice = decoder.vocoder.start()
        self.offset = 0
        """Tokens spoken."""
        chunk = decoder.flow.config.chunk_tokens
        self.hop = first_hop * chunk
        self.max_hop = max(MAX_HOP_CHUNKS * chunk, self.hop)

    @property
    def wanted(self) -> int:
        """Tokens in all that the next chunk needs."""
        pad = -len(self.prompt.tokens) % self.hop if not self.offset else 0
        return self.offset + self.hop + pad + LOOK_AHEAD

    def chunks(
        self,
        tokens: Sequence[int],
        *,
        last: bool,
        on_step: OnStep | None = None,
        on_frames: OnFrames | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Iterator[Tensor]:
        """All tokens so far → the chunks of samples (·,) that they allow; everything that is left if ``last``.

        Raises TooLong, Stopped; the stream is then of no more use.
        """
        while len(tokens) >= self.wanted:
            ready = self.wanted
            mel = self.flow.mel(as_tensor(tokens[:ready]), on_step=on_step, should_stop=should_stop)
            self.offset = ready - LOOK_AHEAD
            self.hop = min(2 * self.hop, self.max_hop)
            yield self.decoder.vocoder.speak(mel, self.voice, last=False, on_frames=on_frames, should_stop=should_stop)
        if last and tokens:
            mel = self.rest(as_tensor(tokens), on_step, should_stop)
            self.offset = len(tokens)
            yield self.decoder.vocoder.speak(mel, self.voice, on_frames=on_frames, should_stop=should_stop)

    def rest(self, tokens: Tensor, on_step: OnStep | None, should_stop: ShouldStop | None) -> Tensor:
        """Mel of the tokens not yet spoken, (80, ·)."""
        if not self.full_last:
            return self.flow.mel(tokens, last=True, on_step=on_step, should_stop=should_stop)
        self.flow.caches.clear()
        mel = self.decoder.flow.mel(tokens, self.prompt, on_step=on_step, should_stop=should_stop)
        return mel[:, 2 * self.offset :]


def as_tensor(tokens: Sequence[int]) -> Tensor:
    return torch.tensor(tokens, dtype=torch.long)


def at_speed(mel: Tensor, speed: float) -> Tensor:
    """(80, T) → (80, T / speed), interpolated linearly."""
    if speed == 1.0:
        return mel
    return functional.interpolate(mel[None], size=int(mel.shape[1] / speed), mode="linear")[0]
