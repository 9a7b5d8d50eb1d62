"""Speech tokens and a voice to a mel spectrogram, by conditional flow matching.

Whole (``Flow.mel``) or piece by piece (``FlowStream``). Tokens are 25 a second, frames 50: two frames a token.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import ShouldStop
from synthesis.engines.cosyvoice3.dit import MEL, DiTCache, DiTConfig
from synthesis.engines.cosyvoice3.solver import STEPS, OnStep, Solver

FRAMES_PER_TOKEN = 2
LOOK_AHEAD = 3
"""Tokens to the right that a token's mel depends on."""
LOOK_BACK = 2
"""Tokens to the left that the pre-lookahead layer depends on."""
LEAKY_SLOPE = 0.01


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """Names as in a directory's own config; the defaults are the released model."""

    prelook_channels: int = 1024
    dim: int = 1024
    depth: int = 22
    heads: int = 16
    dim_head: int = 64
    ff_mult: int = 2
    static_chunk_size: int = 50
    """Frames of one chunk of the chunk mask."""
    vocabulary: int = 6561
    speaker_channels: int = 192

    @property
    def dit(self) -> DiTConfig:
        return DiTConfig(self.dim, self.depth, self.heads, self.dim_head, self.ff_mult, self.static_chunk_size)

    @property
    def chunk_tokens(self) -> int:
        return self.static_chunk_size // FRAMES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class FlowPrompt:
    """The voice to follow, from its reference audio. P tokens may be none."""

    tokens: Tensor
    """(P,) speech tokens"""
    mel: Tensor
    """(2P, 80)"""
    embedding: Tensor
    """(192,) of the speaker"""


class Flow(nn.Module):
    """What a frame is to sound like, and the solver that makes it so."""

    def __init__(self, config: FlowConfig, solver: Solver) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, MEL)
        self.speaker_affine = nn.Linear(config.speaker_channels, MEL)
        self.look_ahead = nn.Conv1d(MEL, config.prelook_channels, LOOK_AHEAD + 1)
        self.look_back = nn.Conv1d(config.prelook_channels, MEL, LOOK_BACK + 1)
        self.solver = solver

    @property
    def device(self) -> torch.device:
        return self.embedding.weight.device

    @torch.inference_mode()
    def mel(
        self,
        tokens: Tensor,
        prompt: FlowPrompt,
        *,
        chunked: bool = False,
        last: bool = True,
        on_step: OnStep | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """(N,) tokens → (80, 2N) mel of them alone, float32; (80, 2(N - 3)) unless they are the ``last``.

        Raises TooLong, Stopped.
        """
        context = self.context(self.token_mel(self.together(tokens, prompt), last=last), prompt, 0)
        mel = self.solver.whole(context, chunked=chunked, on_step=on_step, should_stop=should_stop)
        return mel[FRAMES_PER_TOKEN * len(prompt.tokens) :].T

    def together(self, tokens: Tensor, prompt: FlowPrompt) -> Tensor:
        """Prompt's tokens and these, (P + N,) on the model's device."""
        return torch.cat((prompt.tokens.long(), tokens.long())).to(self.device)

    def token_mel(self, tokens: Tensor, *, last: bool, start: int = 0) -> Tensor:
        """(L,) tokens → (2(L - start), 80), from token ``start``; if not last, the last three are only context."""
        begin = max(start - LOOK_BACK, 0)
        x = self.embedding(tokens[begin:].clamp(min=0)).T
        length = x.shape[1] if last else x.shape[1] - LOOK_AHEAD
        hidden = functional.leaky_relu(self.look_ahead(functional.pad(x, (0, LOOK_AHEAD)) if last else x), LEAKY_SLOPE)
        mixed = self.look_back(functional.pad(hidden, (LOOK_BACK, 0))) + x[:, :length]
        frames: Tensor = mixed[:, start - begin :].T.repeat_interleave(FRAMES_PER_TOKEN, 0)
        return frames

    def speaker(self, prompt: FlowPrompt) -> Tensor:
        """(80,)"""
        embedding = prompt.embedding.to(self.device).float()
        speaker: Tensor = self.speaker_affine(functional.normalize(embedding, dim=0))
        return speaker

    def context(self, mu: Tensor, prompt: FlowPrompt, start: int) -> Tensor:
        """Conditions of frames ``start`` and on, for the solver: token mel (T, 80) → (2, T, 240)."""
        frames = len(mu)
        context = mu.new_zeros(2, frames, 3 * MEL)
        known = prompt.mel[start : start + frames].to(mu)
        context[0, : len(known), :MEL] = known
        context[0, :, MEL : 2 * MEL] = mu
        context[0, :, 2 * MEL :] = self.speaker(prompt)
        return context


class FlowStream:
    """One request, chunk-masked and piece by piece. Joined, the pieces equal one chunk-masked run over the whole.

    Every solver step keeps keys, values and convolution tails of the frames before, so no frame is solved twice.
    """

    def __init__(self, flow: Flow, prompt: FlowPrompt) -> None:
        self.flow = flow
        self.prompt = prompt
        self.caches = [DiTCache() for _ in range(STEPS)]
        self.done = 0
        """Tokens solved, the prompt's included."""

    @torch.inference_mode()
    def mel(
        self,
        tokens: Tensor,
        *,
        last: bool = False,
        on_step: OnStep | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """All tokens so far, (N,) → the mel (80, ·) that is new; the prompt's own frames are left out.

        Unless they are the last, P + N - 3 must be whole chunks (ValueError otherwise): a chunk's frames see each
        other. After Stopped the stream is of no more use. Raises TooLong, Stopped.
        """
        together = self.flow.together(tokens, self.prompt)
        ready = len(together) if last else len(together) - LOOK_AHEAD
        if not last and ready % self.flow.config.chunk_tokens:
            raise ValueError(f"{ready} tokens are no whole number of chunks of {self.flow.config.chunk_tokens}")
        start, self.done = self.done, ready
        if start == ready:
            return together.new_empty(MEL, 0, dtype=torch.float32)
        mel = self.solve(self.flow.token_mel(together, last=last, start=start), start, on_step, should_stop)
        return mel[FRAMES_PER_TOKEN * max(len(self.prompt.tokens) - start, 0) :].T

    @torch.inference_mode()
    def solve_prompt(self, *, on_step: OnStep | None = None, should_stop: ShouldStop | None = None) -> None:
        """Solve the whole chunks of the prompt before there are tokens: they are the same for every request.

        Of a stream that has done nothing yet. Raises TooLong, Stopped.
        """
        chunk = self.flow.config.chunk_tokens
        ready = max(len(self.prompt.tokens) - LOOK_AHEAD, 0) // chunk * chunk
        if ready:
            mu = self.flow.token_mel(self.prompt.tokens[: ready + LOOK_AHEAD].to(self.flow.device), last=False)
            self.solve(mu, 0, on_step, should_stop)
            self.done = ready

    def solve(self, mu: Tensor, start: int, on_step: OnStep | None, should_stop: ShouldStop | None) -> Tensor:
        """Token mel (T, 80) of tokens ``start`` and on → mel (T, 80), in sight of all before."""
        first = FRAMES_PER_TOKEN * start
        return self.flow.solver.piece(
            self.flow.context(mu, self.prompt, first),
            first,
            caches=self.caches,
            on_step=on_step,
            should_stop=should_stop,
        )

    def copy(self) -> "FlowStream":
        """A stream that goes on from here by itself, for one more request of the same voice."""
        other = FlowStream(self.flow, self.prompt)
        other.caches = [cache.copy() for cache in self.caches]
        other.done = self.done
        return other
