"""The diffusion transformer against the golden vectors: whole, chunk-masked, and piece by piece with its cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from synthesis.engines.base import Stopped
from synthesis.engines.cosyvoice3.dit import DiTCache, Modulation, Places, normal
from synthesis.engines.cosyvoice3.flow import Flow
from synthesis.engines.cosyvoice3.flow_weights import modulation_table, time_waves

Tensors = dict[str, Tensor]
ATOL = 3e-5


@pytest.fixture(scope="module")
def vectors(golden_tensors: Callable[[str], Tensors]) -> Tensors:
    return golden_tensors("dit_io")


@pytest.fixture(scope="module")
def estimator(flow_weights: Tensors) -> Tensors:
    prefix = "decoder.estimator."
    return {name.removeprefix(prefix): value for name, value in flow_weights.items() if name.startswith(prefix)}


@pytest.fixture(scope="module")
def modulation(flow: Flow, estimator: Tensors, vectors: Tensors) -> Modulation:
    """Row b of the batch is at time b."""
    return modulation_table(estimator, flow.config.depth, vectors["t"])


@pytest.fixture(scope="module")
def x(vectors: Tensors) -> Tensor:
    return vectors["x"].transpose(1, 2)


@pytest.fixture(scope="module")
def context(vectors: Tensors) -> Tensor:
    """(2, T, 240)"""
    frames = vectors["x"].shape[2]
    speaker = vectors["spks"][:, None].expand(-1, frames, -1)
    return torch.cat((vectors["cond"].transpose(1, 2), vectors["mu"].transpose(1, 2), speaker), 2)


@pytest.fixture
def taps(flow: Flow) -> Iterator[dict[str, Tensor]]:
    """What every block returned."""
    seen: dict[str, Tensor] = {}

    def note(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: seen.update({name: output})

    handles = [block.register_forward_hook(note(f"block{i}")) for i, block in enumerate(flow.solver.dit.blocks)]
    yield seen
    for handle in handles:
        handle.remove()


def places(flow: Flow, cache: DiTCache, piece: Tensor) -> Places:
    return flow.solver.dit.places(cache.frames, piece.shape[1], chunked=True)


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=ATOL, rtol=0)


def test_the_time_embedding_matches(estimator: Tensors, vectors: Tensors) -> None:
    def linear(place: int, x: Tensor) -> Tensor:
        weight, bias = (estimator[f"time_embed.time_mlp.{place}.{kind}"] for kind in ("weight", "bias"))
        return torch.nn.functional.linear(x, weight, bias)

    embedded = linear(2, torch.nn.functional.silu(linear(0, time_waves(vectors["t"]))))
    close(embedded, vectors["full.t_emb"])


def test_the_input_embedding_matches(flow: Flow, vectors: Tensors, x: Tensor, context: Tensor) -> None:
    close(flow.solver.dit.embed(x, context, [None, None]), vectors["full.input_embed"])


def test_whole_and_every_block_of_it_match(
    flow: Flow, vectors: Tensors, x: Tensor, context: Tensor, modulation: Modulation, taps: dict[str, Tensor]
) -> None:
    velocity = flow.solver.dit(x, context, modulation, flow.solver.dit.places(0, x.shape[1], chunked=False))
    for name, output in taps.items():
        close(output, vectors[f"full.{name}"])
    assert len(taps) == flow.config.depth
    close(velocity.transpose(1, 2), vectors["out_full"])


def test_the_final_norm_matches(flow: Flow, vectors: Tensors, modulation: Modulation) -> None:
    scale, shift = modulation.final
    close(normal(vectors[f"full.block{flow.config.depth - 1}"], shift, scale), vectors["full.norm_out"])


def test_chunk_masked_and_every_block_of_it_match(
    flow: Flow, vectors: Tensors, x: Tensor, context: Tensor, modulation: Modulation, taps: dict[str, Tensor]
) -> None:
    velocity = flow.solver.dit(x, context, modulation, flow.solver.dit.places(0, x.shape[1], chunked=True))
    for name, output in taps.items():
        close(output, vectors[f"stream.{name}"])
    close(velocity.transpose(1, 2), vectors["out_streaming"])


def test_pieces_with_a_cache_match_the_chunk_masked_whole(
    flow: Flow, x: Tensor, context: Tensor, modulation: Modulation
) -> None:
    cache, size = DiTCache(), flow.config.static_chunk_size
    frames = torch.arange(max(x.shape[1], size + 1)) % x.shape[1]  # a short set is said twice
    x, context = x[:, frames], context[:, frames]
    whole = flow.solver.dit(x, context, modulation, flow.solver.dit.places(0, len(frames), chunked=True))
    pieces = [
        flow.solver.dit(piece, known, modulation, places(flow, cache, piece), cache=cache)
        for piece, known in zip(torch.split(x, size, 1), torch.split(context, size, 1), strict=True)
    ]
    assert len(pieces) > 1
    close(torch.cat(pieces, 1), whole)


def test_a_stop_is_seen_before_the_last_block(flow: Flow, x: Tensor, context: Tensor, modulation: Modulation) -> None:
    answers = iter([*[False] * (flow.config.depth - 1), True])
    whole = flow.solver.dit.places(0, x.shape[1], chunked=False)
    with pytest.raises(Stopped):
        flow.solver.dit(x, context, modulation, whole, should_stop=lambda: next(answers))
