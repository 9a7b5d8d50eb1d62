"""The language model: a Qwen2 transformer that reads text ids and goes on in speech ids, 25 a second.

A sequence is ``start ‖ prompt text, text ‖ task ‖ prompt speech`` and then what it says itself.
Shapes: L positions, H width, D head width, V speech ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import EngineError, ShouldStop, Stopped
from synthesis.engines.cosyvoice3.config import BackboneConfig, LlmConfig
from synthesis.engines.cosyvoice3.sampling import Sampler

TOKENS_PER_TEXT_ID = 7.5
"""A text id lasts about 0.3 s in Chinese and in English; only the progress bar believes in it."""

Progress = Callable[[float, float], None]
"""Speech tokens so far, of how many as far as one can tell."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model hears before it speaks. Ids, each (n,) int64; the text must hold ``<|endofprompt|>``."""

    text: Tensor
    prompt_text: Tensor
    prompt_speech: Tensor


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """Bounds of the length, in speech tokens for each id of ``Prompt.text``."""

    least_per_text_id: float = 2.0
    most_per_text_id: float = 20.0
    keep_least: bool = False
    """Whether the lower bound holds. As released it does not: the id that is ruled out is the start id, not one that
    ends the speech, so a sentence may end at once. True rules out every id that ends it."""


class Attend(Protocol):
    """Rotates q (L, heads·D) and k, remembers k and v (L, groups·D), and returns the attended values (L, heads·D)."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor: ...


class Block(nn.Module):
    """One layer: attention and a gated feed-forward, each on normalised input and added to it."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        width, groups = config.hidden_size, config.num_key_value_heads * config.head_dim
        self.widths = [width, groups, groups]
        self.input_norm = nn.RMSNorm(width, config.rms_norm_eps)
        self.qkv = nn.Linear(width, sum(self.widths))
        self.out = nn.Linear(width, width, bias=False)
        self.feed_norm = nn.RMSNorm(width, config.rms_norm_eps)
        self.gate_up = nn.Linear(width, 2 * config.intermediate_size, bias=False)
        self.down = nn.Linear(config.intermediate_size, width, bias=False)

    def forward(self, x: Tensor, attend: Attend) -> Tensor:
        """(L, H) to (L, H)."""
        query, key, value = self.qkv(self.input_norm(x)).split(self.widths, dim=-1)
        x = x + self.out(attend(query, key, value))
        gate, up = self.gate_up(self.feed_norm(x)).chunk(2, dim=-1)
        fed: Tensor = self.down(functional.silu(gate) * up)
        return x + fed


class Llm(nn.Module):
    """The loaded model. Immutable; what a sequence has heard is in its ``Cache``."""

    def __init__(self, config: LlmConfig) -> None:
        super().__init__()
        width = config.backbone.hidden_size
        self.config = config
        self.embed_text = nn.Embedding(config.backbone.vocab_size, width)
        self.embed_speech = nn.Embedding(config.speech_ids, width)
        self.blocks = nn.ModuleList(Block(config.backbone) for _ in range(config.backbone.num_hidden_layers))
        self.norm = nn.RMSNorm(width, config.backbone.rms_norm_eps)
        self.head = nn.Linear(width, config.speech_ids, bias=False)

    @property
    def device(self) -> torch.device:
        return self.embed_speech.weight.device

    @torch.inference_mode()
    def text(self, ids: Tensor) -> Tensor:
        """Embeddings of text ids: (n,) to (n, H)."""
        embedded: Tensor = self.embed_text(ids.to(self.device))
        return embedded

    @torch.inference_mode()
    def speech(self, ids: Sequence[int] | Tensor) -> Tensor:
        """Embeddings of speech ids, special ones included: (n,) to (n, H)."""
        embedded: Tensor = self.embed_speech(torch.as_tensor(ids, dtype=torch.int64, device=self.device))
        return embedded

    @torch.inference_mode()
    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        """Hear the embeddings ``x`` (L, H) after what ``cache`` holds; hidden states (L, H) after the last norm."""
        cache.make_room(len(x))
        for index, block in enumerate(self.blocks):
            x = block(x, cache.layer(index))
        cache.length += len(x)
        hidden: Tensor = self.norm(x)
        return hidden

    @torch.inference_mode()
    def log_probs(self, hidden: Tensor) -> Tensor:
        """Log-probabilities of the next speech id: (H,) to (V,) float32."""
        logits: Tensor = self.head(hidden)
        return logits.to(torch.float32).log_softmax(-1)

    def next(self, x: Tensor, cache: Cache) -> Tensor:
        """Hear ``x`` (L, H); the log-probabilities (V,) of what follows."""
        return self.log_probs(self(x, cache)[-1])


class Cache:
    """Keys and values of one sequence, in memory laid out once for ``capacity`` positions."""

    def __init__(self, model: Llm, capacity: int) -> None:
        config = model.config.backbone
        self._config = config
        self._like = model.embed_speech.weight
        self.length = 0
        self._keys = self._values = self._cosines = self._sines = torch.empty(0)
        self._lay_out(capacity)

    @property
    def capacity(self) -> int:
        return self._keys.shape[2]

    def layer(self, index: int) -> Attend:
        """Attention of one layer for the positions after ``length``."""

        def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            start, end = self.length, self.length + len(query)
            self._keys[index, :, start:end] = self._rotated(self._heads(key))
            self._values[index, :, start:end] = self._heads(value)
            attended = functional.scaled_dot_product_attention(
                self._rotated(self._heads(query))[None],
                self._keys[None, index, :, :end],
                self._values[None, index, :, :end],
                attn_mask=self._later_unseen(start, end),
                is_causal=start == 0 and end > 1,
                enable_gqa=True,
            )
            return attended[0].transpose(0, 1).flatten(1)

        return attend

    def heard(self) -> tuple[Tensor, Tensor]:
        """Keys and values so far, each (layers, groups, length, D)."""
        return self._keys[:, :, : self.length], self._values[:, :, : self.length]

    def make_room(self, more: int) -> None:
        """See that ``more`` positions fit; doubling, for sequences whose length nobody knew. Raises EngineError."""
        needed = self.length + more
        if needed > self._config.max_position_embeddings:
            raise EngineError(f"The text is too long for the model: {self._config.max_position_embeddings} positions.")
        if needed > self.capacity:
            old_keys, old_values = self._keys, self._values
            self._lay_out(min(max(needed, 2 * self.capacity), self._config.max_position_embeddings))
            self._keys[:, :, : self.length] = old_keys[:, :, : self.length]
            self._values[:, :, : self.length] = old_values[:, :, : self.length]

    def _lay_out(self, capacity: int) -> None:
        config, like = self._config, self._like
        shape = (config.num_hidden_layers, config.num_key_value_heads, capacity, config.head_dim)
        self._keys, self._values = like.new_empty(shape), like.new_empty(shape)
        cosines, sines = rotations(config, capacity)
        self._cosines, self._sines = cosines.to(like), sines.to(like)

    def _heads(self, x: Tensor) -> Tensor:
        """(L, n·D) to (n, L, D)."""
        return x.view(len(x), -1, self._config.head_dim).transpose(0, 1)

    def _rotated(self, x: Tensor) -> Tensor:
        """(n, L, D) turned by its positions."""
        place = slice(self.length, self.length + x.shape[1])
        return turned(x, self._cosines[place], self._sines[place])

    def _later_unseen(self, start: int, end: int) -> Tensor | None:
        """What each of several new positions may see of all (end - start, end); None where no mask is needed."""
        if start == 0 or end - start == 1:
            return None
        positions = torch.arange(end, device=self._keys.device)
        return positions <= positions[start:, None]


def turned(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotary positions: (..., D) turned by its angles. The pairs are channel i with channel i + D/2."""
    low, high = x.chunk(2, dim=-1)
    return x * cosines + torch.cat([-high, low], dim=-1) * sines


def rotations(config: BackboneConfig, length: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions 0 to length - 1, each (length, D) float32."""
    powers = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    angles = torch.arange(length, dtype=torch.float32)[:, None] / config.rope_theta**powers
    return angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)


def prefix(model: Llm, prompt: Prompt) -> Tensor:
    """Embeddings (1 + texts + 1 + prompt speech, H) of all that precedes the model's own speech.

    Raises ValueError if the text lacks ``<|endofprompt|>``.
    """
    config, ids = model.config, torch.cat([prompt.prompt_text, prompt.text])
    if not bool((ids == config.endofprompt_id).any()):
        raise ValueError("The text and its prompt hold no <|endofprompt|>.")
    speech = model.speech(prompt.prompt_speech)
    return torch.cat([model.speech([config.sos_id]), model.text(ids), model.speech([config.task_id]), speech])


def decode(
    model: Llm,
    prompt: Prompt,
    sample: Sampler,
    options: DecodeOptions,
    progress: Progress,
    should_stop: ShouldStop,
) -> Iterator[int]:
    """Speech tokens as the model says them, silences uncut. It ends at an id that is none, or at the upper bound.

    Raises Stopped before the next token, ValueError as ``prefix``.
    """
    x = prefix(model, prompt)
    least, most = bounds(prompt, options)
    cache = Cache(model, len(x) + most)
    decoded: list[int] = []
    expected = expected_tokens(prompt, options)
    while len(decoded) < most:
        if should_stop():
            raise Stopped
        early = len(decoded) < least
        token = sample(model.next(x, cache), decoded, ruled_out(model.config, options) if early else ())
        if token >= model.config.speech_token_size:
            return
        decoded.append(token)
        progress(len(decoded), max(expected, len(decoded) + 1))
        yield token
        x = model.speech([token])


def expected_tokens(prompt: Prompt, options: DecodeOptions) -> float:
    """As many as one can tell before."""
    return min(bounds(prompt, options)[1], len(prompt.text) * TOKENS_PER_TEXT_ID)


def bounds(prompt: Prompt, options: DecodeOptions) -> tuple[int, int]:
    """Fewest and most speech tokens."""
    count = len(prompt.text)
    return int(count * options.least_per_text_id), int(count * options.most_per_text_id)


def ruled_out(config: LlmConfig, options: DecodeOptions, but: int = -1) -> Sequence[int]:
    """Ids that must not be drawn while the speech may not end yet; ``but`` is allowed."""
    if not options.keep_least:
        return (config.sos_id,)
    return tuple(id_ for id_ in range(config.speech_token_size, config.speech_ids) if id_ != but)
