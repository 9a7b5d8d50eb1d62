"""Noise to a mel spectrogram: ten Euler steps along the velocity that the transformer estimates, guidance beside.

The noise is one fixed table, so a mel depends on its conditions alone. T frames; conditions are (2, T, 240): prompt
mel, token mel and speaker of every frame, then guidance's empty ones. Y. Lipman et al., "Flow Matching for Generative
Modeling", 2023; J. Ho, T. Salimans, "Classifier-Free Diffusion Guidance", 2022.
"""

import threading
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import ShouldStop, Stopped
from synthesis.engines.cosyvoice3.dit import MEL, DiT, DiTCache, Modulation
from synthesis.engines.cosyvoice3.graphs import repeatable

STEPS = 10
GUIDANCE = 0.7
NOISE_SEED = 0
MAX_FRAMES = 15_000
"""Of noise: five minutes, the prompt's included."""
FIXED_LENGTHS = tuple(range(64, 1025, 64))
"""Frames of the recorded steps. A longer mel keeps a GPU busy for longer than it takes to hand over its kernels."""

OnStep = Callable[[int, int], None]
"""Progress: solver steps done, of how many."""


class TooLong(ValueError):
    """More audio than the model has noise for."""


class Solver(nn.Module):
    """The transformer, its modulation at every step, and the noise."""

    noise: Tensor
    modulation_blocks: Tensor
    modulation_final: Tensor

    def __init__(self, dit: DiT, modulation: Modulation, noise: Tensor, lengths: Sequence[float]) -> None:
        super().__init__()
        self.dit = dit
        self.register_buffer("noise", noise, persistent=False)
        self.register_buffer("modulation_blocks", modulation.blocks, persistent=False)
        self.register_buffer("modulation_final", modulation.final, persistent=False)
        self.step_lengths = lengths
        self._fixed: list[FixedStep] = []
        self._fixed_used = threading.Lock()

    def fix_lengths(self, lengths: Sequence[int] = FIXED_LENGTHS) -> None:
        """From now on solve whole mels of up to so many frames in steps of these lengths; on CUDA each is recorded."""
        device = self.noise.device
        pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None
        self._fixed = [FixedStep(self.dit, self.modulation(0), frames, pool) for frames in sorted(lengths)]

    def fixed_step(self, frames: int) -> "FixedStep | None":
        """The shortest that holds so many frames."""
        return next((step for step in self._fixed if step.frames >= frames), None)

    def modulation(self, step: int) -> Modulation:
        return Modulation(self.modulation_blocks, self.modulation_final).at(step)

    def whole(
        self, context: Tensor, *, chunked: bool, on_step: OnStep | None = None, should_stop: ShouldStop | None = None
    ) -> Tensor:
        """Conditions (2, T, 240) → mel (T, 80), the prompt's frames included. Raises TooLong, Stopped."""
        fixed = self.fixed_step(context.shape[1])
        if chunked or fixed is None:
            return self.piece(context, 0, chunked=chunked, on_step=on_step, should_stop=should_stop)
        with self._fixed_used:
            x = fixed.begin(self.beginning(context, 0), context)

            def advance(_: Tensor, step: int) -> Tensor:
                fixed.advance(self.modulation(step), self.step_lengths[step])
                return x

            return self._solved(x, advance, on_step, should_stop).clone()

    def piece(
        self,
        context: Tensor,
        start: int,
        *,
        chunked: bool = True,
        caches: Sequence[DiTCache] | None = None,
        on_step: OnStep | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """Frames ``start`` and on: conditions (2, T, 240) → mel (T, 80). ``caches``: of every step, what was before.

        Raises TooLong, Stopped; a stop is seen between two blocks of the transformer.
        """
        places = self.dit.places(start, context.shape[1], chunked=chunked)

        def advance(x: Tensor, step: int) -> Tensor:
            cache = caches[step] if caches is not None else None
            velocity = self.dit(
                x.expand(2, -1, -1), context, self.modulation(step), places, cache=cache, should_stop=should_stop
            )
            return x + self.step_lengths[step] * guided(velocity)

        return self._solved(self.beginning(context, start), advance, on_step, should_stop)

    def beginning(self, context: Tensor, start: int) -> Tensor:
        """The noise (T, 80) of frames ``start`` and on. Raises TooLong."""
        end = start + context.shape[1]
        if end > MAX_FRAMES:
            raise TooLong(f"{end} frames of mel; the model speaks at most {MAX_FRAMES} at a time, its prompt included")
        return self.noise[start:end]

    def _solved(
        self,
        x: Tensor,
        advance: Callable[[Tensor, int], Tensor],
        on_step: OnStep | None,
        should_stop: ShouldStop | None,
    ) -> Tensor:
        for step in range(STEPS):
            if should_stop is not None and should_stop():
                raise Stopped
            x = advance(x, step)
            if on_step is not None:
                on_step(step + 1, STEPS)
        return x


class FixedStep:
    """One step for up to F frames in memory of its own, so that on CUDA it is one recorded graph.

    What lies beyond a request's frames is computed too, but seen by none of them: attention is masked there and the
    convolutions look back only.
    """

    def __init__(self, dit: DiT, like: Modulation, frames: int, pool: object) -> None:
        """``like``: the modulation of one step. ``pool``: of the graphs that are never run at the same time."""
        device = like.final.device
        self.frames = frames
        self._dit = dit
        self._x = torch.zeros(frames, MEL, device=device)
        self._context = torch.zeros(2, frames, 3 * MEL, device=device)
        self._modulation = Modulation(like.blocks.clone(), like.final.clone())
        self._length = torch.zeros((), device=device)
        self._positions = torch.arange(frames, device=device)
        self._seen = torch.ones(1, 1, 1, frames, dtype=torch.bool, device=device)
        self._places = dit.places(0, frames, chunked=False)._replace(mask=self._seen)
        self._take = repeatable(self._step, device, pool)

    def begin(self, noise: Tensor, context: Tensor) -> Tensor:
        """Noise (T, 80) and conditions (2, T, 240) of a request; the (T, 80) that every ``advance`` changes."""
        beyond = self.frames - len(noise)
        self._x.copy_(functional.pad(noise, (0, 0, 0, beyond)))
        self._context.copy_(functional.pad(context, (0, 0, 0, beyond)))
        torch.lt(self._positions, len(noise), out=self._seen.view(-1))
        return self._x[: len(noise)]

    def advance(self, modulation: Modulation, length: float) -> None:
        self._modulation.blocks.copy_(modulation.blocks)
        self._modulation.final.copy_(modulation.final)
        self._length.fill_(length)
        self._take()

    def _step(self) -> None:
        velocity = self._dit(self._x.expand(2, -1, -1), self._context, self._modulation, self._places)
        self._x.add_(self._length * guided(velocity))


def guided(velocity: Tensor) -> Tensor:
    """With the conditions and without, (2, T, 80) → (T, 80), away from the second."""
    return (1 + GUIDANCE) * velocity[0] - GUIDANCE * velocity[1]


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
