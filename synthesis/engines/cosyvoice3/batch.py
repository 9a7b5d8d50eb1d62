"""Several sequences that take their steps together: one pass over the weights for all of them.

Every shape is fixed, whoever is there: a sequence's numbers depend on the number of rows and never on its neighbours,
and on CUDA a step is one recorded graph. R rows, C positions, V speech ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from synthesis.engines.base import EngineError, ShouldStop
from synthesis.engines.cosyvoice3.config import LlmConfig
from synthesis.engines.cosyvoice3.graphs import repeatable
from synthesis.engines.cosyvoice3.llm import (
    Attend,
    Cache,
    DecodeOptions,
    Llm,
    Prompt,
    bounds,
    prefix,
    rotations,
    ruled_out,
    turned,
)
from synthesis.engines.cosyvoice3.sampling import Sampler


class TooLong(EngineError):
    """A sequence that may outgrow its row."""


class Batch:
    """Keys and values of R sequences of at most C positions, and the step that all of them take."""

    def __init__(self, model: Llm, rows: int, capacity: int) -> None:
        config, like = model.config.backbone, model.embed_speech.weight
        shape = (config.num_hidden_layers, rows, config.num_key_value_heads, capacity, config.head_dim)
        self.model = model
        # Zeros: what lies behind a sequence's end is weighed with 0, and 0 times rubbish may be no number.
        self._keys, self._values = like.new_zeros(shape), like.new_zeros(shape)
        self._cosines, self._sines = (table.to(like) for table in rotations(config, capacity))
        self._rows = torch.arange(rows, device=like.device)
        self._positions = torch.arange(capacity, device=like.device)
        self._lengths = torch.zeros(rows, dtype=torch.int64, device=like.device)
        self._tokens = torch.zeros(rows, dtype=torch.int64, device=like.device)
        self._log_probs = torch.empty(0)
        self._hear = repeatable(self._heard_by_all, like.device)

    @property
    def rows(self) -> int:
        return len(self._rows)

    @property
    def capacity(self) -> int:
        return len(self._positions)

    @torch.inference_mode()
    def join(self, row: int, heard: Tensor) -> Tensor:
        """Put a sequence that has heard the embeddings (L, H) into ``row``; log-probabilities (V,) of what follows."""
        cache = Cache(self.model, len(heard))
        log_probs = self.model.next(heard, cache)
        keys, values = cache.heard()
        self._keys[:, row, :, : cache.length] = keys
        self._values[:, row, :, : cache.length] = values
        self._lengths[row] = cache.length
        return log_probs

    @torch.inference_mode()
    def step(self, tokens: dict[int, int]) -> Tensor:
        """Each row of ``tokens`` hears its id, every other row is free again.

        Log-probabilities (R, V), of meaning in the rows of ``tokens`` and until the next step.
        """
        rows = range(self.rows)
        self._tokens.copy_(torch.tensor([tokens.get(row, 0) for row in rows]), non_blocking=True)
        taken = torch.tensor([int(row in tokens) for row in rows]).to(self._lengths.device, non_blocking=True)
        # A free row computes at position 0, where it can never run out of its memory.
        self._lengths.mul_(taken)
        self._hear()
        self._lengths.add_(taken)
        return self._log_probs

    def _heard_by_all(self) -> None:
        """Every row hears its token. Nothing here may ask for a number of the device: a graph could not hold it."""
        x = self.model.embed_speech(self._tokens)
        seen = (self._positions <= self._lengths[:, None])[:, None, None]
        for index, block in enumerate(self.model.blocks):
            x = block(x, self._layer(index, seen))
        self._log_probs = self.model.log_probs(self.model.norm(x))

    def _layer(self, index: int, seen: Tensor) -> Attend:
        """Attention of one layer, each row at its own position."""
        keys, values = self._keys[index], self._values[index]
        cosines, sines = self._cosines[self._lengths][:, None], self._sines[self._lengths][:, None]

        def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            keys[self._rows, :, self._lengths] = turned(self._heads(key), cosines, sines)
            values[self._rows, :, self._lengths] = self._heads(value)
            queries = turned(self._heads(query), cosines, sines)[:, :, None]
            attended = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=seen, enable_gqa=True)
            return attended.flatten(1)

        return attend

    def _heads(self, x: Tensor) -> Tensor:
        """(R, n·D) to (R, n, D)."""
        return x.view(len(x), -1, self.model.config.backbone.head_dim)


def never() -> bool:
    return False


@dataclass(slots=True)
class Speaker:
    """One of those who speak together."""

    prompt: Prompt
    sample: Sampler
    options: DecodeOptions = field(default_factory=DecodeOptions)
    should_stop: ShouldStop = never
    """True ends this speaker alone, before its next token."""
    decoded: list[int] = field(default_factory=list)

    def next_token(self, config: LlmConfig, log_probs: Tensor) -> int | None:
        """What it says next, None at the end."""
        least, most = bounds(self.prompt, self.options)
        if len(self.decoded) >= most or self.should_stop():
            return None
        early = len(self.decoded) < least
        token = self.sample(log_probs, self.decoded, ruled_out(config, self.options) if early else ())
        if token >= config.speech_token_size:
            return None
        self.decoded.append(token)
        return token


def decode_together(batch: Batch, waiting: Callable[[], Speaker | None]) -> Iterator[tuple[Speaker, int | None]]:
    """Each speaker's tokens as they come, then None. Whoever waits takes the first free row, in the middle of others.

    ``waiting`` is asked for one whenever a row is free and answers None if nobody waits now. Ends when nobody speaks.
    Raises TooLong, and ValueError as ``prefix``.
    """
    model = batch.model
    present: dict[int, Speaker] = {}
    following: dict[int, Tensor] = {}
    while True:
        for row in range(batch.rows):
            speaker = waiting() if row not in present else None
            if speaker is not None:
                following[row] = batch.join(row, fitting(batch, speaker))
                present[row] = speaker
        if not present:
            return
        tokens: dict[int, int] = {}
        for row, one in list(present.items()):
            token = one.next_token(model.config, following[row])
            if token is None:
                del present[row]
            else:
                tokens[row] = token
            yield one, token
        log_probs = batch.step(tokens).cpu()  # for all rows at once: the one thing that a step waits for
        following = {row: log_probs[row] for row in tokens}


def fitting(batch: Batch, speaker: Speaker) -> Tensor:
    """What the speaker hears first, (L, H). Raises TooLong if a row may not hold all that it may say."""
    if not fits(batch, speaker.prompt, speaker.options):
        raise TooLong(f"The sequence may outgrow the {batch.capacity} positions of a row.")
    return prefix(batch.model, speaker.prompt)


def fits(batch: Batch, prompt: Prompt, options: DecodeOptions) -> bool:
    """Whether a row holds all that may be said: a matter of the request alone, whoever else is there."""
    heard = 2 + len(prompt.prompt_text) + len(prompt.text) + len(prompt.prompt_speech)
    return heard + bounds(prompt, options)[1] <= batch.capacity
