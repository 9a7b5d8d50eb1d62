"""Tokens to mel against the golden vectors: whole, without a prompt, chunk-masked, and piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from synthesis.engines.base import Stopped
from synthesis.engines.cosyvoice3.flow import (
    LOOK_AHEAD,
    MAX_FRAMES,
    STEPS,
    Flow,
    FlowPrompt,
    FlowStream,
    TooLong,
    flow_shapes,
    time_span,
)
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
    assert torch.equal(flow.noise[: len(noise)], noise)
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


def test_a_prompt_may_be_solved_before_there_are_tokens(flow: Flow, prompt: FlowPrompt, tokens: Tensor) -> None:
    chunk = flow.config.chunk_tokens
    prompt_tokens = tokens.repeat(2)[: chunk + LOOK_AHEAD]
    long = FlowPrompt(prompt_tokens, torch.zeros(2 * len(prompt_tokens), 80), prompt.embedding)
    stream = FlowStream(flow, long)
    assert stream.mel(tokens[:0]).shape == (80, 0)
    close(stream.mel(tokens, last=True), flow.mel(tokens, long, chunked=True), 1e-5)


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
