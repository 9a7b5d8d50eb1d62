"""Tokens to mel against the golden vectors: whole, without a prompt, chunk-masked, and piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from synthesis.engines.base import Stopped
from synthesis.engines.cosyvoice3.flow import (
    LOOK_AHEAD,
    Flow,
    FlowConfig,
    FlowPrompt,
    FlowStream,
)
from synthesis.engines.cosyvoice3.flow_weights import flow_shapes, load_flow
from synthesis.engines.cosyvoice3.linears import PRECISIONS, Precision, fit
from synthesis.engines.cosyvoice3.solver import MAX_FRAMES, STEPS, TooLong, time_span
from tests.parity.flow.conftest import prompt_of

Tensors = dict[str, Tensor]
ATOL = 5e-5


@pytest.fixture(scope="module")
def vectors(golden_tensors: Callable[[str], Tensors]) -> Tensors:
    return golden_tensors("flow_io")


@pytest.fixture(scope="module")
def prompt(vectors: Tensors) -> FlowPrompt:
    return prompt_of(vectors)


@pytest.fixture(scope="module")
def tokens(vectors: Tensors) -> Tensor:
    return vectors["token"][0]


def close(ours: Tensor, theirs: Tensor, atol: float = ATOL) -> None:
    torch.testing.assert_close(ours, theirs, atol=atol, rtol=0)


def test_the_published_names_and_shapes_are_known(flow: Flow, flow_weights: Tensors) -> None:
    assert flow_shapes(flow.config) == {name: tuple(value.shape) for name, value in flow_weights.items()}


def test_speaker_noise_and_times_match(flow: Flow, vectors: Tensors, prompt: FlowPrompt) -> None:
    close(flow.speaker(prompt), vectors["spk_proj"][0])
    noise = vectors["noise"][0].T
    assert torch.equal(flow.solver.noise[: len(noise)], noise)
    close(time_span(), vectors["t_span"], 1e-7)


def test_the_pre_lookahead_layer_matches(flow: Flow, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    mixed = flow.token_mel(flow.together(tokens, prompt), last=True)
    close(mixed[::2], vectors["prelookahead_out"][0])
    assert torch.equal(mixed[::2], mixed[1::2])


@pytest.mark.parametrize(
    ("name", "chunked", "last"),
    [
        ("mel_full", False, True),
        ("mel_streaming_finalize", True, True),
        ("mel_nonfinal_fullattn", False, False),
    ],
)
def test_a_whole_mel_matches(
    flow: Flow, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor, name: str, chunked: bool, last: bool
) -> None:
    close(flow.mel(tokens, prompt, chunked=chunked, last=last), vectors[name][0])


def test_a_mel_without_a_prompt_matches(flow: Flow, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    nothing = FlowPrompt(prompt.tokens[:0], prompt.mel[:0], prompt.embedding)
    close(flow.mel(tokens, nothing), vectors["mel_full_noprompt"][0])


@pytest.fixture
def fixed(flow_config: FlowConfig, flow_weights: Tensors) -> Flow:
    """Can solve as on a GPU, in steps of fixed lengths, though none is recorded."""
    return load_flow(flow_config, flow_weights)


def test_steps_of_fixed_lengths_match(fixed: Flow, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    """After another request in the same memory, with frames left over and with none."""
    nothing = FlowPrompt(prompt.tokens[:0], prompt.mel[:0], prompt.embedding)
    frames = vectors["mel_full_noprompt"].shape[2], vectors["noise"].shape[2]
    for more in (0, 9):
        fixed.solver.fix_lengths([length + more for length in frames])
        for _ in range(2):
            close(fixed.mel(tokens, prompt), vectors["mel_full"][0])
            close(fixed.mel(tokens, nothing), vectors["mel_full_noprompt"][0])
    fixed.solver.fix_lengths(frames[1:])
    close(fixed.mel(tokens, nothing), vectors["mel_full_noprompt"][0])


def test_a_step_of_fixed_length_asks_the_device_for_no_number(fixed: Flow) -> None:
    """What a recorded graph needs, and what can be known of it without a GPU: on tensors that have no values."""
    fixed.solver.fix_lengths([64])
    step = fixed.solver.fixed_step(64)
    assert step is not None
    with FakeTensorMode(allow_non_fake_inputs=True):
        step.advance(fixed.solver.modulation(1), 0.1)


def test_the_first_tokens_alone_match(flow: Flow, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    chunks = [name.removesuffix("_ntok") for name in vectors if name.endswith("_ntok")]
    for chunk in chunks:
        count = int(vectors[f"{chunk}_ntok"])
        mel = flow.mel(tokens[:count], prompt, chunked=True, last=False)
        close(mel, vectors[f"{chunk}_all"][0])
    assert chunks


def test_joined_pieces_match_the_chunk_masked_whole(
    flow: Flow, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor
) -> None:
    stream = FlowStream(flow, prompt)
    pieces = [stream.mel(tokens[:count]) for count in boundaries(flow, prompt, tokens)]
    pieces.append(stream.mel(tokens, last=True))
    assert len(pieces) > 1
    close(torch.cat(pieces, 1), vectors["mel_streaming_finalize"][0])


def test_pieces_of_several_chunks_and_prompts_of_several_chunks_match_too(flow: Flow, prompt: FlowPrompt) -> None:
    chunk = flow.config.chunk_tokens
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(flow.config.vocabulary, (6 * chunk,), generator=generator)
    long = FlowPrompt(tokens[: chunk + 7], torch.randn(2 * (chunk + 7), 80, generator=generator), prompt.embedding)
    stream, counts = FlowStream(flow, long), boundaries(flow, long, tokens)
    pieces = [stream.mel(tokens[:count]) for count in (counts[0], counts[2], counts[3])]
    branch = stream.copy()
    pieces.append(stream.mel(tokens, last=True))
    whole = flow.mel(tokens, long, chunked=True)
    close(torch.cat(pieces, 1), whole, 1e-5)
    close(torch.cat([*pieces[:-1], branch.mel(tokens, last=True)], 1), whole, 1e-5)


@pytest.mark.parametrize("more", [-1, 0, 2, LOOK_AHEAD, LOOK_AHEAD + 4])
def test_a_prompt_may_be_solved_before_there_are_tokens(
    flow: Flow, prompt: FlowPrompt, tokens: Tensor, more: int
) -> None:
    prompt_tokens = tokens.repeat(flow.config.chunk_tokens)[: flow.config.chunk_tokens + more]
    long = FlowPrompt(prompt_tokens, torch.ones(2 * len(prompt_tokens), 80), prompt.embedding)
    solved = FlowStream(flow, long)
    solved.solve_prompt()
    assert solved.done == (flow.config.chunk_tokens if more >= LOOK_AHEAD else 0)
    for _ in range(2):
        close(solved.copy().mel(tokens, last=True), flow.mel(tokens, long, chunked=True), 1e-5)


@pytest.mark.parametrize("precision", [precision for precision in PRECISIONS if precision != "float32"])
def test_reduced_precision_stays_near_whole_and_in_pieces(
    flow_config: FlowConfig,
    flow_weights: Tensors,
    vectors: Tensors,
    prompt: FlowPrompt,
    tokens: Tensor,
    precision: Precision,
) -> None:
    reduced = load_flow(flow_config, flow_weights, dtype=PRECISIONS[precision])
    fit(reduced.solver.dit.blocks, precision, torch.device("cpu"))
    stream = FlowStream(reduced, prompt)
    pieces = [stream.mel(tokens[:count]) for count in boundaries(reduced, prompt, tokens)[:1]]
    pieces.append(stream.mel(tokens, last=True))
    for ours, theirs in (
        (reduced.mel(tokens, prompt), vectors["mel_full"][0]),
        (torch.cat(pieces, 1), vectors["mel_streaming_finalize"][0]),
    ):
        assert (ours - theirs).square().mean().sqrt() < 0.03 * theirs.std()


def test_any_shapes_of_heads_and_chunks_stream_as_they_run_whole(flow_config: FlowConfig) -> None:
    config = replace(flow_config, heads=3, dim_head=24, depth=2, static_chunk_size=20, prelook_channels=16)
    generator = torch.Generator().manual_seed(2)
    weights = {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in flow_shapes(config).items()}
    other = load_flow(config, weights)
    tokens = torch.randint(config.vocabulary, (44,), generator=generator)
    voice = FlowPrompt(tokens[:13], torch.randn(26, 80, generator=generator), torch.randn(192, generator=generator))
    stream = FlowStream(other, voice)
    pieces = [stream.mel(tokens[:10]), stream.mel(tokens[:30]), stream.mel(tokens, last=True)]
    close(torch.cat(pieces, 1), other.mel(tokens, voice, chunked=True), 1e-4)


def test_a_piece_that_ends_within_a_chunk_is_refused(flow: Flow, prompt: FlowPrompt, tokens: Tensor) -> None:
    with pytest.raises(ValueError, match="whole number of chunks"):
        FlowStream(flow, prompt).mel(tokens[: boundaries(flow, prompt, tokens)[0] + 1])


def test_steps_are_reported_and_a_stop_is_seen(flow: Flow, prompt: FlowPrompt, tokens: Tensor) -> None:
    steps: list[tuple[int, int]] = []
    flow.mel(tokens, prompt, on_step=lambda done, total: steps.append((done, total)))
    assert steps == [(k, STEPS) for k in range(1, STEPS + 1)]
    with pytest.raises(Stopped):
        flow.mel(tokens, prompt, should_stop=lambda: True)


def test_more_than_there_is_noise_for_is_refused(flow: Flow, prompt: FlowPrompt) -> None:
    with pytest.raises(TooLong):
        flow.mel(torch.zeros(MAX_FRAMES // 2 + 1, dtype=torch.long), prompt)


def boundaries(flow: Flow, prompt: FlowPrompt, tokens: Tensor) -> list[int]:
    """How many tokens make whole chunks, look-ahead included."""
    chunk = flow.config.chunk_tokens
    first = -len(prompt.tokens) % chunk + LOOK_AHEAD
    return list(range(first, len(tokens), chunk))
