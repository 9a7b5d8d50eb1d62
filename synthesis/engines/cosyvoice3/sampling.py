"""From log-probabilities to the next speech id: repetition-aware sampling, and the greedy choice.

Repetition-aware sampling (RAS): draw from the nucleus; if the draw was among the last few ids, draw once more from
everything. S. Chen et al., "VALL-E 2", 2024, section 3.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Sampler(Protocol):
    """Chooses the next id."""

    def __call__(self, log_probs: Tensor, decoded: Sequence[int], forbidden: Sequence[int]) -> int:
        """``log_probs`` (V,), left as they are; ``decoded``: the ids so far; ``forbidden``: never these."""
        ...


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """The released numbers."""

    top_p: float = 0.8
    """The nucleus ends with the id that reaches this share."""
    top_k: int = 25
    """Most ids in the nucleus."""
    window: int = 10
    """How many of the last ids count as repetition."""
    repetition: float = 0.1
    """Share of the window that a draw may fill before it is drawn again."""


class RepetitionAware:
    """RAS with one generator, on the processor: the same seed draws the same from any device's probabilities."""

    def __init__(self, generator: torch.Generator, options: SamplingOptions | None = None) -> None:
        self._generator = generator
        self._options = options or SamplingOptions()

    def __call__(self, log_probs: Tensor, decoded: Sequence[int], forbidden: Sequence[int]) -> int:
        scores = without(log_probs.cpu(), forbidden)  # the only time that a device is waited for
        probs, ids = nucleus(scores, self._options)
        drawn = int(ids[self._draw(probs)])
        window = decoded[-self._options.window :]
        if window.count(drawn) >= self._options.window * self._options.repetition:
            return self._draw(without(scores, [drawn]).softmax(0))
        return drawn

    def _draw(self, probs: Tensor) -> int:
        """An index into ``probs`` (n,), which need not sum to 1. Takes n numbers of the generator."""
        return int(torch.multinomial(probs, 1, replacement=True, generator=self._generator))


def greedy(log_probs: Tensor, decoded: Sequence[int], forbidden: Sequence[int]) -> int:
    """The likeliest id."""
    return int(without(log_probs.cpu(), forbidden).argmax())


def without(scores: Tensor, forbidden: Sequence[int]) -> Tensor:
    """``scores`` (V,), on the processor, with the forbidden ids at minus infinity; the tensor given stays as it is."""
    if not forbidden:
        return scores
    return scores.index_fill(0, torch.tensor(forbidden), float("-inf"))


def nucleus(scores: Tensor, options: SamplingOptions) -> tuple[Tensor, Tensor]:
    """Probabilities and ids of the likeliest, likeliest first: (n,) float32, (n,) int64; all on the processor.

    Of equal ones the lower id comes first. The id that crosses ``top_p`` belongs to it, so there is always one.
    """
    probs, ids = likeliest(scores.softmax(0), options.top_k)
    # Summed one after the other in float32: where the sum lands near top_p, another order would cut elsewhere.
    sums = np.add.accumulate(probs.numpy(), dtype=np.float32)
    count = 1 + int((sums[:-1] < np.float32(options.top_p)).sum())
    return probs[:count], ids[:count]


def likeliest(probs: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first ``count`` of a stable descending sort of ``probs`` (V,), without sorting them all."""
    count = min(count, probs.numel())
    least = probs.topk(count).values[-1]
    ids = (probs >= least).nonzero().squeeze(1)
    chosen = probs[ids]
    order = chosen.argsort(descending=True, stable=True)[:count]
    return chosen[order], ids[order]
