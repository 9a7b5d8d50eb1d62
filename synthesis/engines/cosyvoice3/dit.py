"""The diffusion transformer that estimates the velocity of the mel spectrogram.

Rows of a batch are branches of guidance (with and without the condition). Time is the second
axis throughout: ``(B, T, channels)``. Two ways of attending: every frame sees every frame, or, chunk-masked, every
frame sees the past and the rest of its own chunk; the second is exact piece by piece, with ``DiTCache`` in between.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import ShouldStop, Stopped
from synthesis.engines.cosyvoice3.linears import GeluLinear

MEL = 80
CONV_KERNEL = 31
CONV_GROUPS = 16
NORM_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class DiTConfig:
    dim: int
    depth: int
    heads: int
    dim_head: int
    ff_mult: int
    chunk_frames: int
    """Frames of one chunk of the chunk mask."""

    @property
    def inner(self) -> int:
        """Channels of all heads together."""
        return self.heads * self.dim_head


class Modulation(NamedTuple):
    """Shifts, scales and gates of K times. A scale s is stored as 1 + s."""

    blocks: Tensor
    """(depth, 6, K, 1, dim): shift, scale, gate of attention, then of the feed-forward."""
    final: Tensor
    """(2, K, 1, dim): scale, then shift."""

    def at(self, step: int) -> "Modulation":
        """Of one time, for any number of rows."""
        return Modulation(self.blocks[:, :, step : step + 1], self.final[:, step : step + 1])


class Places(NamedTuple):
    """Where T frames stand and what they see; the same for all blocks and steps."""

    start: int
    cos: Tensor
    """(T, dim_head) of the rotary angles, each twice in a row"""
    sin: Tensor
    mask: Tensor | None
    """(T, start + T) or (1, 1, 1, T): true where a frame may look; none: everywhere"""


class DiTCache:
    """What one solver step keeps of the frames before: keys and values of every block, tails of the convolutions.

    Grows by itself; 2 · depth · B · inner numbers a frame.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.tails: list[Tensor | None] = [None, None]
        self.keys_values = torch.empty(0)
        """(depth, 2, B, heads, room, dim_head)"""

    def reserve(self, config: DiTConfig, rows: int, frames: int, like: Tensor) -> None:
        """Make room for ``frames`` frames in all, whole chunks at a time."""
        room = -(-frames // config.chunk_frames) * config.chunk_frames
        old = self.keys_values
        if old.ndim == 1 or old.shape[4] < room:
            shape = (config.depth, 2, rows, config.heads, room, config.dim_head)
            self.keys_values = like.new_empty(shape)
            if old.ndim > 1:
                self.keys_values[..., : self.frames, :] = old[..., : self.frames, :]

    def copy(self) -> "DiTCache":
        """A continuation of its own; the two share nothing."""
        other = DiTCache()
        other.frames, other.tails = self.frames, list(self.tails)
        other.keys_values = self.keys_values.clone()
        return other


class ConvPosition(nn.Module):
    """Two causal grouped convolutions: a frame learns of the 60 before it."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(dim, dim, CONV_KERNEL, groups=CONV_GROUPS) for _ in range(2))

    def forward(self, y: Tensor, tails: list[Tensor | None]) -> Tensor:
        """(B, T, dim) → the same. ``tails``: the last frames each convolution saw, replaced by the new ones."""
        x: Tensor = y.mT
        for i, conv in enumerate(self.convs):
            tail = tails[i]
            x = functional.pad(x, (CONV_KERNEL - 1, 0)) if tail is None else torch.cat((tail, x), 2)
            tails[i] = x[:, :, 1 - CONV_KERNEL :].clone()
            x = functional.mish(conv(x))
        positions: Tensor = x.mT
        return positions


class Block(nn.Module):
    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.inner)
        self.out = nn.Linear(config.inner, config.dim)
        self.up = GeluLinear(config.dim, config.dim * config.ff_mult)
        self.down = nn.Linear(config.dim * config.ff_mult, config.dim)

    def forward(self, y: Tensor, modulation: Tensor, places: Places, past: Tensor | None) -> Tensor:
        """(B, T, dim) → the same; ``past``: this block's keys and values, with room for those of these frames."""
        shift, scale, gate, ff_shift, ff_scale, ff_gate = modulation
        precision = self.out.bias.dtype  # not the weight's: that may be in 8-bit integers
        y = y + gate * self.attend(normal(y, shift, scale).to(precision), places, past)
        hidden = self.up(normal(y, ff_shift, ff_scale).to(precision))
        changed: Tensor = ff_gate * self.down(hidden)
        return y + changed

    def attend(self, x: Tensor, places: Places, past: Tensor | None) -> Tensor:
        """(B, T, dim) → (B, T, dim)."""
        rows, frames, _ = x.shape
        q, k, v = self.qkv(x).view(rows, frames, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        rotate_(q, places)
        rotate_(k, places)
        if past is not None:
            end = places.start + frames
            past[0, :, :, places.start : end], past[1, :, :, places.start : end] = k, v
            k, v = past[:, :, :, :end]
        heard = functional.scaled_dot_product_attention(q, k, v, attn_mask=places.mask)
        projected: Tensor = self.out(heard.transpose(1, 2).reshape(rows, frames, -1))
        return projected


class DiT(nn.Module):
    """The transformer without its time embedding: that became a table (``modulation``) when it was loaded."""

    inverse_frequency: Tensor

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config = config
        self.proj = nn.Linear(4 * MEL, config.dim)
        self.position = ConvPosition(config.dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.proj_out = nn.Linear(config.dim, MEL)
        self.register_buffer("inverse_frequency", torch.empty(config.dim_head // 2))

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        modulation: Modulation,
        places: Places,
        *,
        cache: DiTCache | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """Velocity at ``x`` (B, T, 80) → (B, T, 80), float32.

        ``context`` (B, T, 240): prompt mel, token mel and speaker of every frame. With a ``cache`` the frames follow
        those that it holds (chunk-masked, and whole chunks but for the last piece), and are added to it.
        Raises Stopped between two blocks.
        """
        rows, frames, _ = x.shape
        if cache is not None:
            cache.reserve(self.config, rows, places.start + frames, self.proj.weight)
        y = self.embed(x, context, [None, None] if cache is None else cache.tails)
        for i, block in enumerate(self.blocks):
            if should_stop is not None and should_stop():
                raise Stopped
            past = cache.keys_values[i] if cache is not None else None
            y = block(y, modulation.blocks[i], places, past)
        if cache is not None:
            cache.frames = places.start + frames
        return self.finish(y, modulation)

    def embed(self, x: Tensor, context: Tensor, tails: list[Tensor | None]) -> Tensor:
        """(B, T, 80), (B, T, 240) → (B, T, dim)"""
        y = self.proj(torch.cat((x, context), 2).to(self.proj.weight.dtype))
        embedded: Tensor = y + self.position(y, tails)
        return embedded.float()

    def finish(self, y: Tensor, modulation: Modulation) -> Tensor:
        """(B, T, dim) → (B, T, 80)"""
        scale, shift = modulation.final
        velocity: Tensor = self.proj_out(normal(y, shift, scale).to(self.proj_out.weight.dtype))
        return velocity.float()

    def places(self, start: int, frames: int, *, chunked: bool) -> Places:
        """Of the frames from ``start``; chunk-masked or all seeing all."""
        device = self.inverse_frequency.device
        positions = torch.arange(start, start + frames, device=device)
        angles = torch.outer(positions.float(), self.inverse_frequency).repeat_interleave(2, 1)
        chunk, end = self.config.chunk_frames, start + frames
        mask = None
        if chunked and start // chunk != (end - 1) // chunk:
            seen = (positions // chunk + 1) * chunk
            mask = torch.arange(end, device=device) < seen[:, None]
        return Places(start, angles.cos(), angles.sin(), mask)


def normal(y: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer norm without weights of its own, then scaled and shifted: (B, T, dim) → the same.

    ``shift`` and ``scale`` (K, 1, dim) are of one time for all rows, or of a time for each.
    """
    if len(scale) == 1:
        return functional.layer_norm(y, y.shape[-1:], scale.flatten(), shift.flatten(), NORM_EPSILON)
    return torch.addcmul(shift, functional.layer_norm(y, y.shape[-1:], eps=NORM_EPSILON), scale)


def rotate_(x: Tensor, places: Places) -> None:
    """Turn pairs (2i, 2i+1) of the first head; the model was trained with the other heads unturned.

    (B, heads, T, dim_head), changed in place.
    """
    first = x[:, 0].float()
    turned = torch.stack((-first[..., 1::2], first[..., ::2]), -1).flatten(-2)
    x[:, 0] = first * places.cos + turned * places.sin
