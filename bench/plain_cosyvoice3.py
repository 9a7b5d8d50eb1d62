"""CosyVoice 3 computed the plain way: what the engine is compared with.

The same published tensors and the same results to rounding, with the work that an engine can do without: a text head
for every position, keys and values that are copied at every step, a full sort of the probabilities and a comparison
for each of them, modulations and rotary tables computed at every solver step, a mask where nothing is hidden, and for
a stream the whole prefix computed anew for every chunk. The vocoder is the engine's own.

L positions, H width, V speech ids, T frames of mel, B rows of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from synthesis.engines.cosyvoice3.config import LlmConfig
from synthesis.engines.cosyvoice3.dit import CONV_GROUPS, CONV_KERNEL, NORM_EPSILON
from synthesis.engines.cosyvoice3.flow import FRAMES_PER_TOKEN, Flow, FlowPrompt
from synthesis.engines.cosyvoice3.flow_weights import time_waves
from synthesis.engines.cosyvoice3.sampling import SamplingOptions
from synthesis.engines.cosyvoice3.solver import GUIDANCE, solver_steps

Weights = Mapping[str, Tensor]


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


class PlainLlm:
    """The language model on the published tensors."""

    def __init__(self, weights: Weights, config: LlmConfig) -> None:
        self.weights, self.config = weights, config

    def text(self, ids: Tensor) -> Tensor:
        return self.weights["llm.model.model.embed_tokens.weight"][ids]

    def speech(self, ids: Sequence[int] | Tensor) -> Tensor:
        return self.weights["speech_embedding.weight"][torch.as_tensor(ids)]

    def next(self, x: Tensor, cache: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Hear ``x`` (L, H) after what ``cache`` holds for each layer; log-probabilities (V,) of what follows."""
        backbone = self.config.backbone
        before = cache[0][0].shape[1] if cache else 0
        positions = torch.arange(before, before + len(x))
        turns = rotary(positions, backbone.head_dim, backbone.rope_theta)
        for layer in range(backbone.num_hidden_layers):
            x = self._layer(x, layer, cache, turns)
        hidden = self._norm(x, "llm.model.model.norm")
        functional.linear(hidden, self.weights["llm.model.model.embed_tokens.weight"])  # the text nobody asks for
        return linear(self.weights, "llm_decoder", hidden[-1]).log_softmax(-1)

    def _layer(self, x: Tensor, layer: int, cache: list[tuple[Tensor, Tensor]], turns: tuple[Tensor, Tensor]) -> Tensor:
        weights, name = self.weights, f"llm.model.model.layers.{layer}"
        normed = self._norm(x, f"{name}.input_layernorm")
        query, key, value = (self._heads(linear(weights, f"{name}.self_attn.{part}_proj", normed)) for part in "qkv")
        query, key = (states * turns[0] + half_turned(states) * turns[1] for states in (query, key))
        if len(cache) > layer:
            key, value = (torch.cat([old, new], 1) for old, new in zip(cache[layer], (key, value), strict=True))
            cache[layer] = key, value
        else:
            cache.append((key, value))
        repeats = len(query) // len(key)
        keys, values = (states.repeat_interleave(repeats, 0)[None] for states in (key, value))
        heard = functional.scaled_dot_product_attention(query[None], keys, values, is_causal=len(x) > 1)
        x = x + linear(weights, f"{name}.self_attn.o_proj", heard[0].transpose(0, 1).flatten(1))
        normed = self._norm(x, f"{name}.post_attention_layernorm")
        gate, up = (linear(weights, f"{name}.mlp.{part}_proj", normed) for part in ("gate", "up"))
        return x + linear(weights, f"{name}.mlp.down_proj", functional.silu(gate) * up)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        epsilon = self.config.backbone.rms_norm_eps
        return functional.rms_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], epsilon)

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1, self.config.backbone.head_dim).transpose(0, 1)


def rotary(positions: Tensor, width: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each (L, width)."""
    angles = positions[:, None] / theta ** (torch.arange(0, width, 2) / width)
    return angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)


def half_turned(x: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([-high, low], -1)


class PlainSampler:
    """Repetition-aware sampling with a full sort and a comparison an id."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.options = SamplingOptions()

    def __call__(self, log_probs: Tensor, decoded: list[int]) -> int:
        probs, ids = log_probs.softmax(0).sort(descending=True, stable=True)
        picked: list[int] = []
        reached = 0.0
        while reached < self.options.top_p and len(picked) < self.options.top_k:
            reached += float(probs[len(picked)])
            picked.append(int(ids[len(picked)]))
        drawn = picked[self._draw(probs[: len(picked)])]
        window = torch.tensor(decoded[-self.options.window :])
        if int((window == drawn).sum()) >= self.options.window * self.options.repetition:
            log_probs[drawn] = float("-inf")
            return self._draw(log_probs.softmax(0))
        return drawn

    def _draw(self, probs: Tensor) -> int:
        return int(torch.multinomial(probs, 1, replacement=True, generator=self.generator))


class PlainFlow:
    """The estimator on the published tensors; what comes before it, which costs little, is the engine's."""

    def __init__(self, weights: Weights, front: Flow) -> None:
        self.weights = {name.removeprefix("decoder.estimator."): value for name, value in weights.items()}
        self.front = front
        self.config = front.config

    def mel(self, tokens: Tensor, prompt: FlowPrompt, *, chunked: bool = False, last: bool = True) -> Tensor:
        """(N,) tokens, all so far, to the mel (80, ·) of them."""
        front = self.front
        context = front.context(front.token_mel(front.together(tokens, prompt), last=last), prompt, 0)
        x = front.solver.noise[: context.shape[1]]
        for time, length in solver_steps():
            velocity = self.velocity(x.repeat(2, 1, 1), context, time, chunked=chunked)
            x = x + length * ((1 + GUIDANCE) * velocity[0] - GUIDANCE * velocity[1])
        return x[FRAMES_PER_TOKEN * len(prompt.tokens) :].T

    def velocity(self, x: Tensor, context: Tensor, time: float, *, chunked: bool) -> Tensor:
        """(B, T, 80), (B, T, 240) at one time to (B, T, 80)."""
        weights, frames = self.weights, x.shape[1]
        waves = time_waves(torch.full((len(x),), time))
        moment = linear(weights, "time_embed.time_mlp.2", self._silu("time_embed.time_mlp.0", waves))
        turned = torch.outer(torch.arange(frames).float(), weights["rotary_embed.inv_freq"]).repeat_interleave(2, 1)
        turns = turned.cos(), turned.sin()
        places = torch.arange(frames)
        seen = (places // self.config.static_chunk_size + 1) * self.config.static_chunk_size
        shown = places < seen[:, None] if chunked else torch.ones(frames, frames, dtype=torch.bool)
        mask = shown.expand(len(x), self.config.heads, frames, frames)
        y = linear(weights, "input_embed.proj", torch.cat([x, context], 2))
        y = y + self._positions(y)
        for block in range(self.config.depth):
            y = self._block(f"transformer_blocks.{block}", y, moment, turns, mask)
        scale, shift = linear(weights, "norm_out.linear", functional.silu(moment))[:, None].chunk(2, -1)
        return linear(weights, "proj_out", normal(y) * (1 + scale) + shift)

    def _block(self, name: str, y: Tensor, moment: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        weights = self.weights
        modulation = linear(weights, f"{name}.attn_norm.linear", functional.silu(moment))[:, None]
        shift, scale, gate, ff_shift, ff_scale, ff_gate = modulation.chunk(6, -1)
        normed = normal(y) * (1 + scale) + shift
        query, key, value = (linear(weights, f"{name}.attn.to_{part}", normed) for part in "qkv")
        query, key = (self._turned(states, turns) for states in (query, key))
        query, key, value = (self._heads(states) for states in (query, key, value))
        heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)
        y = y + gate * linear(weights, f"{name}.attn.to_out.0", heard)
        normed = normal(y) * (1 + ff_scale) + ff_shift
        hidden = functional.gelu(linear(weights, f"{name}.ff.ff.0.0", normed), approximate="tanh")
        return y + ff_gate * linear(weights, f"{name}.ff.ff.2", hidden)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, T, heads · D) to (B, heads, T, D)."""
        return x.view(*x.shape[:2], self.config.heads, self.config.dim_head).transpose(1, 2)

    def _turned(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """The first head's channels turned, all others left."""
        first, rest = x[..., : self.config.dim_head], x[..., self.config.dim_head :]
        turned = torch.stack([-first[..., 1::2], first[..., ::2]], -1).flatten(-2)
        return torch.cat([first * turns[0] + turned * turns[1], rest], -1)

    def _positions(self, y: Tensor) -> Tensor:
        x = y.mT
        for number in (1, 2):
            name = f"input_embed.conv_pos_embed.conv{number}.0"
            weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
            x = functional.pad(x, (CONV_KERNEL - 1, 0))
            x = functional.mish(functional.conv1d(x, weight, bias, groups=CONV_GROUPS))
        return x.mT

    def _silu(self, name: str, x: Tensor) -> Tensor:
        return functional.silu(linear(self.weights, name, x))


def normal(y: Tensor) -> Tensor:
    return functional.layer_norm(y, y.shape[-1:], eps=NORM_EPSILON)
