"""Speech tokens to a mel spectrogram: conditional flow matching, ten Euler steps, guidance in the same batch.

Whole (``Flow.mel``) or piece by piece (``FlowStream``). Tokens are 25 a second, frames 50: two frames a token.
The noise that it starts from is one fixed table, so a segment's mel depends on tokens and voice alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import ShouldStop, Stopped
from synthesis.engines.cosyvoice3.dit import (
    MEL,
    DiT,
    DiTCache,
    DiTConfig,
    Modulation,
    Places,
    copier,
    dit_shapes,
    load_dit,
    modulation_table,
    with_biases,
)

STEPS = 10
GUIDANCE = 0.7
NOISE_SEED = 0
MAX_FRAMES = 15_000
"""Of noise: five minutes, the prompt's included."""
FRAMES_PER_TOKEN = 2
LOOK_AHEAD = 3
"""Tokens to the right that a token's mel depends on."""
LOOK_BACK = 2
"""Tokens to the left that the pre-lookahead layer depends on."""
LEAKY_SLOPE = 0.01

OnStep = Callable[[int, int], None]
"""Progress: solver steps done, of how many."""


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


class TooLong(ValueError):
    """More audio than the model has noise for."""


class Flow(nn.Module):
    noise: Tensor
    modulation_blocks: Tensor
    modulation_final: Tensor

    def __init__(
        self, config: FlowConfig, dit: DiT, modulation: Modulation, noise: Tensor, lengths: list[float]
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, MEL)
        self.speaker_affine = nn.Linear(config.speaker_channels, MEL)
        self.look_ahead = nn.Conv1d(MEL, config.prelook_channels, LOOK_AHEAD + 1)
        self.look_back = nn.Conv1d(config.prelook_channels, MEL, LOOK_BACK + 1)
        self.dit = dit
        self.register_buffer("noise", noise, persistent=False)
        self.register_buffer("modulation_blocks", modulation.blocks, persistent=False)
        self.register_buffer("modulation_final", modulation.final, persistent=False)
        self.step_lengths = lengths

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
        places = self.dit.places(0, context.shape[2], chunked=chunked)
        mel = self.denoise(context, places, on_step=on_step, should_stop=should_stop)[0]
        return mel[FRAMES_PER_TOKEN * len(prompt.tokens) :].T

    @torch.inference_mode()
    def mels(
        self,
        requests: Sequence[tuple[Tensor, FlowPrompt]],
        *,
        on_step: OnStep | None = None,
        should_stop: ShouldStop | None = None,
    ) -> list[Tensor]:
        """Several requests in one batch: for each what ``mel`` gives, to rounding. Raises TooLong, Stopped."""
        contexts = [
            self.context(self.token_mel(self.together(tokens, prompt), last=True), prompt, 0)
            for tokens, prompt in requests
        ]
        lengths = [context.shape[2] for context in contexts]
        padded = [functional.pad(context, (0, 0, 0, max(lengths) - context.shape[2])) for context in contexts]
        places = self.dit.places(0, max(lengths), chunked=False)
        if min(lengths) < max(lengths):
            seen = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
            places = places._replace(mask=seen.repeat(2, 1)[:, None, None].to(self.noise.device))
        solved = self.denoise(torch.cat(padded, 1), places, on_step=on_step, should_stop=should_stop)
        return [
            mel[FRAMES_PER_TOKEN * len(prompt.tokens) : length].T
            for mel, length, (_, prompt) in zip(solved, lengths, requests, strict=True)
        ]

    def together(self, tokens: Tensor, prompt: FlowPrompt) -> Tensor:
        """Prompt's tokens and these, (P + N,) on the model's device."""
        return torch.cat((prompt.tokens.long(), tokens.long())).to(self.noise.device)

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
        embedding = prompt.embedding.to(self.noise.device).float()
        speaker: Tensor = self.speaker_affine(functional.normalize(embedding, dim=0))
        return speaker

    def context(self, mu: Tensor, prompt: FlowPrompt, start: int) -> Tensor:
        """Conditions of one request's frames ``start`` and on: token mel (T, 80) → (2, 1, T, 240).

        The second is guidance's empty one.
        """
        frames = len(mu)
        context = mu.new_zeros(2, 1, frames, 3 * MEL)
        known = prompt.mel[start : start + frames].to(mu)
        context[0, 0, : len(known), :MEL] = known
        context[0, 0, :, MEL : 2 * MEL] = mu
        context[0, 0, :, 2 * MEL :] = self.speaker(prompt)
        return context

    def denoise(
        self,
        context: Tensor,
        places: Places,
        *,
        caches: list[DiTCache] | None = None,
        on_step: OnStep | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """Conditions (2, J, T, 240) of J requests → their mel (J, T, 80), prompts included. Raises TooLong, Stopped."""
        _, jobs, frames, _ = context.shape
        end = places.start + frames
        if end > MAX_FRAMES:
            raise TooLong(f"{end} frames of mel; the model speaks at most {MAX_FRAMES} at a time, its prompt included")
        modulation = Modulation(self.modulation_blocks, self.modulation_final)
        rows = context.flatten(0, 1)
        x = self.noise[places.start : end].expand(jobs, -1, -1)
        for step, length in enumerate(self.step_lengths):
            if should_stop is not None and should_stop():
                raise Stopped
            velocity = self.dit(
                x.repeat(2, 1, 1),
                rows,
                modulation.at(step),
                places,
                cache=caches[step] if caches is not None else None,
                should_stop=should_stop,
            )
            guided, free = velocity[:jobs], velocity[jobs:]
            x = x + length * ((1 + GUIDANCE) * guided - GUIDANCE * free)
            if on_step is not None:
                on_step(step + 1, STEPS)
        return x


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
            mu = self.flow.token_mel(self.prompt.tokens[: ready + LOOK_AHEAD].to(self.flow.noise.device), last=False)
            self.solve(mu, 0, on_step, should_stop)
            self.done = ready

    def solve(self, mu: Tensor, start: int, on_step: OnStep | None, should_stop: ShouldStop | None) -> Tensor:
        """Token mel (T, 80) of tokens ``start`` and on → mel (T, 80), in sight of all before."""
        places = self.flow.dit.places(FRAMES_PER_TOKEN * start, len(mu), chunked=True)
        context = self.flow.context(mu, self.prompt, places.start)
        mels = self.flow.denoise(context, places, caches=self.caches, on_step=on_step, should_stop=should_stop)
        return mels[0]

    def copy(self) -> "FlowStream":
        """A stream that goes on from here by itself, for one more request of the same voice."""
        other = FlowStream(self.flow, self.prompt)
        other.caches = [cache.copy() for cache in self.caches]
        other.done = self.done
        return other


def fixed_noise() -> Tensor:
    """(15000, 80); the reference draws it channel by channel."""
    return torch.randn(1, MEL, MAX_FRAMES, generator=torch.Generator().manual_seed(NOISE_SEED))[0].T.contiguous()


def time_span() -> Tensor:
    """(11,) from 0 to 1, denser at the start: 1 - cos(k/10 · π/2)."""
    return 1 - torch.cos(torch.linspace(0, 1, STEPS + 1) * 0.5 * torch.pi)


def solver_steps() -> list[tuple[float, float]]:
    """Time and length of every step. The time is a running float32 sum, as the model was published."""
    span = time_span()
    t, steps = span[0], []
    for k in range(STEPS):
        length = span[k + 1] - t
        steps.append((float(t), float(length)))
        t = t + length
    return steps


def load_flow(
    config: FlowConfig,
    weights: Mapping[str, Tensor],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Flow:
    """From the published tensors, their shapes checked before (``flow_shapes``).

    ``dtype`` is that of the transformer's products; what is added up stays float32.
    """
    prefix = "decoder.estimator."
    estimator = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    steps = solver_steps()
    modulation = modulation_table(estimator, config.depth, torch.tensor([time for time, _ in steps]))
    noise = fixed_noise()
    dit = load_dit(config.dit, estimator)
    for part in (dit.proj, dit.position, dit.blocks, dit.proj_out):
        part.to(dtype)
    with torch.device("meta"):
        flow = Flow(config, dit, modulation, noise, [length for _, length in steps])
    state: dict[str, Tensor] = {f"dit.{name}": value for name, value in dit.state_dict().items()}
    take = copier(weights, state)
    state["embedding.weight"] = weights["input_embedding.weight"]
    take("spk_embed_affine_layer", "speaker_affine")
    take("pre_lookahead_layer.conv1", "look_ahead")
    take("pre_lookahead_layer.conv2", "look_back")
    flow.load_state_dict(state, assign=True)
    return flow.requires_grad_(requires_grad=False).eval().to(device)


def flow_shapes(config: FlowConfig) -> dict[str, tuple[int, ...]]:
    """The published names of ``flow.pt`` and their shapes."""
    weights: dict[str, tuple[int, ...]] = {
        "spk_embed_affine_layer": (MEL, config.speaker_channels),
        "pre_lookahead_layer.conv1": (config.prelook_channels, MEL, LOOK_AHEAD + 1),
        "pre_lookahead_layer.conv2": (MEL, config.prelook_channels, LOOK_BACK + 1),
    }
    estimator = {f"decoder.estimator.{name}": shape for name, shape in dit_shapes(config.dit).items()}
    return with_biases(weights) | estimator | {"input_embedding.weight": (config.vocabulary, MEL)}
