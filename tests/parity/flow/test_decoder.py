"""Tokens to samples against the golden vectors, end to end: whole, faster, and in streamed chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from synthesis.engines.base import Stopped
from synthesis.engines.cosyvoice3.decoder import Decoder, SpeechStream
from synthesis.engines.cosyvoice3.flow import Flow, FlowPrompt, FlowStream
from synthesis.engines.cosyvoice3.vocoder import Vocoder
from tests.parity.flow.conftest import prompt_of

Tensors = dict[str, Tensor]
MAX_ERROR = 1e-2
RMS_ERROR = 1e-3


@pytest.fixture(scope="module")
def decoder(flow: Flow, vocoder: Vocoder) -> Decoder:
    return Decoder(flow, vocoder)


@pytest.fixture(scope="module")
def vectors(golden_tensors: Callable[[str], Tensors]) -> Tensors:
    return golden_tensors("e2e_io")


@pytest.fixture(scope="module")
def prompt(vectors: Tensors) -> FlowPrompt:
    return prompt_of(vectors)


@pytest.fixture(scope="module")
def tokens(vectors: Tensors) -> Tensor:
    return vectors["source_speech_token"][0]


@pytest.fixture(scope="module")
def some_tokens(tokens: Tensor, decoder: Decoder) -> Tensor:
    """Of a fixed length, whatever the set's: more than two chunks, for runs of ours that are compared with each other.

    The longer the speech, the more its phases make of a rounding.
    """
    length = 3 * decoder.flow.config.chunk_tokens + 12
    return tokens.repeat(length)[:length]


def close(ours: Tensor, theirs: Tensor) -> None:
    """The vocoder's phases make a thousandfold of every rounding of the mel."""
    assert ours.shape == theirs.shape
    difference = ours - theirs
    assert difference.abs().max() < MAX_ERROR
    assert difference.square().mean().sqrt() < RMS_ERROR


def test_a_whole_utterance_matches(decoder: Decoder, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    close(decoder.speak(tokens, prompt), vectors["wav_nonstream"][0])


def test_other_speeds_match(decoder: Decoder, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    speeds = [name.removeprefix("wav_speed") for name in vectors if name.startswith("wav_speed")]
    for speed in speeds:
        close(decoder.speak(tokens, prompt, speed=float(speed)), vectors[f"wav_speed{speed}"][0])
    assert speeds


def golden_chunks(vectors: Tensors) -> list[Tensor]:
    count = sum(name.startswith("wav_stream_chunk") for name in vectors)
    return [vectors[f"wav_stream_chunk{k}"][0] for k in range(count)]


def test_streamed_chunks_match(decoder: Decoder, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor) -> None:
    ours = list(SpeechStream(decoder, prompt).chunks(tokens.tolist(), last=True))
    theirs = golden_chunks(vectors)
    assert len(ours) == len(theirs)
    for chunk, expected in zip(ours, theirs, strict=True):
        close(chunk, expected)


def test_tokens_that_arrive_one_by_one_give_the_same_chunks(
    decoder: Decoder, vectors: Tensors, prompt: FlowPrompt, tokens: Tensor
) -> None:
    stream, all_tokens = SpeechStream(decoder, prompt), tokens.tolist()
    ours: list[Tensor] = []
    for count in range(len(all_tokens) + 1):
        ours += stream.chunks(all_tokens[:count], last=False)
    ours += stream.chunks(all_tokens, last=True)
    at_once = list(SpeechStream(decoder, prompt).chunks(all_tokens, last=True))
    assert len(ours) == len(golden_chunks(vectors))
    assert all(torch.equal(one, other) for one, other in zip(ours, at_once, strict=True))


def test_without_a_full_last_chunk_the_chunks_join_to_one_chunk_masked_run(
    decoder: Decoder, prompt: FlowPrompt, some_tokens: Tensor
) -> None:
    chunks = list(SpeechStream(decoder, prompt, full_last=False).chunks(some_tokens.tolist(), last=True))
    assert len(chunks) > 1
    close(torch.cat(chunks), decoder.speak(some_tokens, prompt, chunked=True))


def test_a_prompt_solved_before_changes_nothing(decoder: Decoder, prompt: FlowPrompt, some_tokens: Tensor) -> None:
    tokens = some_tokens.tolist()
    said = some_tokens[: decoder.flow.config.chunk_tokens + 12]
    voice = FlowPrompt(said, prompt.mel[:2].repeat(len(said), 1), prompt.embedding)
    solved = FlowStream(decoder.flow, voice)
    solved.solve_prompt()
    assert solved.done
    fresh = torch.cat(list(SpeechStream(decoder, voice).chunks(tokens, last=True)))
    for _ in range(2):
        close(torch.cat(list(SpeechStream(decoder, voice, solved=solved).chunks(tokens, last=True))), fresh)


def test_a_later_request_of_the_published_server_goes_on_with_the_chunks_of_the_one_before(
    decoder: Decoder, golden_json: Callable[[str], Any], prompt: FlowPrompt, tokens: Tensor
) -> None:
    lengths = golden_json("notes.json")["e2e_chunk_lengths"]
    first_hop = 1
    for expected in (lengths["stream_first"], lengths["stream_second"]):
        stream = SpeechStream(decoder, prompt, first_hop=first_hop)
        assert [len(chunk) for chunk in stream.chunks(tokens.tolist(), last=True)] == expected
        first_hop = stream.hop // decoder.flow.config.chunk_tokens


def test_no_tokens_are_no_sound(decoder: Decoder, prompt: FlowPrompt, tokens: Tensor) -> None:
    assert not list(SpeechStream(decoder, prompt).chunks([], last=True))
    assert decoder.speak(tokens[:0], prompt).shape == (0,)


def test_a_stop_is_seen_in_every_stage(decoder: Decoder, prompt: FlowPrompt, tokens: Tensor) -> None:
    with pytest.raises(Stopped):
        decoder.speak(tokens, prompt, should_stop=lambda: True)
    with pytest.raises(Stopped):
        list(SpeechStream(decoder, prompt).chunks(tokens.tolist(), last=True, should_stop=lambda: True))
    solved: list[int] = []
    with pytest.raises(Stopped):
        decoder.speak(
            tokens,
            prompt,
            on_step=lambda done, total: solved.append(total - done),
            should_stop=lambda: solved[-1:] == [0],
        )
