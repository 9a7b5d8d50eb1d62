"""Several sequences in one batch: the golden ones, whoever else is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from synthesis.engines.cosyvoice3.batch import Batch, Speaker, TooLong, decode_together
from synthesis.engines.cosyvoice3.llm import DecodeOptions, Llm, Prompt, bounds
from synthesis.engines.cosyvoice3.sampling import RepetitionAware


@pytest.fixture(scope="module")
def vectors(golden_tensors: Callable[[str], dict[str, Tensor]]) -> dict[str, Tensor]:
    return golden_tensors("llm_io")


@pytest.fixture(scope="module")
def seeded(golden_json: Callable[[str], Any]) -> dict[str, list[int]]:
    sequences = golden_json("llm_sequences.json")["sequences"]
    return {name: ids for name, ids in sequences.items() if name.startswith("ras_")}


def speaker_of(name: str, vectors: dict[str, Tensor]) -> Speaker:
    """Of a golden sequence by its name."""
    text, before, speech = (vectors[key][0].long() for key in ("text", "prompt_text", "prompt_speech_token"))
    prompt = Prompt(text, before, speech[:0] if "noprompt" in name else speech)
    return Speaker(prompt, RepetitionAware(torch.Generator().manual_seed(int(name.rpartition("seed")[2]))))


def one_by_one(speakers: Iterable[Speaker]) -> Callable[[], Speaker | None]:
    waiting = iter(speakers)
    return lambda: next(waiting, None)


def capacity(vectors: dict[str, Tensor]) -> int:
    text = vectors["text"][0]
    return len(vectors["lm_input"][0]) + bounds(Prompt(text, text, text), DecodeOptions())[1]


def test_steps_give_the_golden_logits_in_every_row(llm: Llm, vectors: dict[str, Tensor]) -> None:
    heard = vectors["lm_input"][0]
    batch = Batch(llm, 3, len(heard) + 20)
    for row in range(3):
        batch.join(row, heard)
    for step, token in enumerate(vectors["forced_tokens"].tolist()):
        found = batch.step(dict.fromkeys(range(3), token))
        golden = vectors["step_logits"][step].log_softmax(-1)
        torch.testing.assert_close(found, golden.expand(3, -1), rtol=0, atol=5e-5)


@pytest.mark.parametrize("rows", [1, 3])
def test_together_each_says_its_golden_sequence(
    llm: Llm, vectors: dict[str, Tensor], seeded: dict[str, list[int]], rows: int
) -> None:
    """More speakers than rows: who waits joins in the middle of the others."""
    names = [*seeded, *seeded]
    speakers = [speaker_of(name, vectors) for name in names]
    said: dict[int, list[int | None]] = {id(speaker): [] for speaker in speakers}
    for speaker, token in decode_together(Batch(llm, rows, capacity(vectors)), one_by_one(speakers)):
        said[id(speaker)].append(token)
    for name, speaker in zip(names, speakers, strict=True):
        assert said[id(speaker)] == [*seeded[name], None], name


def test_a_row_is_the_same_to_the_bit_whoever_sits_beside_it(llm: Llm, vectors: dict[str, Tensor]) -> None:
    heard, tokens = vectors["lm_input"][0], vectors["forced_tokens"].tolist()

    def run(row: int, neighbours: list[int]) -> Tensor:
        batch = Batch(llm, 4, len(heard) + 4 + len(tokens))
        generator = torch.Generator().manual_seed(row)
        for other in neighbours:
            batch.join(other, torch.randn(len(heard) // 2 + other, heard.shape[1], generator=generator))
        batch.join(row, heard)
        return torch.stack([batch.step(dict.fromkeys([row, *neighbours], token))[row].clone() for token in tokens])

    alone = run(0, [])
    assert torch.equal(run(0, [1, 2, 3]), alone)
    assert torch.equal(run(3, [0, 2]), alone)


def test_a_step_asks_the_device_for_no_number(llm: Llm) -> None:
    """What a recorded graph needs, and what can be known of it without a GPU: on tensors that have no values."""
    batch = Batch(llm, 2, 64)
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert batch.step({0: 1}).shape == (2, llm.config.speech_ids)
        with pytest.raises(DataDependentOutputException):
            batch.step({0: 1}).argmax().item()


def test_a_stop_ends_one_speaker_alone(llm: Llm, vectors: dict[str, Tensor], seeded: dict[str, list[int]]) -> None:
    longest = max(seeded, key=lambda name: len(seeded[name]))
    stopped, other = speaker_of(longest, vectors), speaker_of(longest, vectors)
    stopped.should_stop = lambda: len(stopped.decoded) == 5
    list(decode_together(Batch(llm, 2, capacity(vectors)), one_by_one([stopped, other])))
    assert (stopped.decoded, other.decoded) == (seeded[longest][:5], seeded[longest])


def test_speakers_are_asked_for_only_when_a_row_is_free(
    llm: Llm, vectors: dict[str, Tensor], seeded: dict[str, list[int]]
) -> None:
    asked: list[str] = []

    def queue() -> Iterator[Speaker]:
        for name in [*seeded, *seeded]:
            asked.append(name)
            yield speaker_of(name, vectors)

    next(decode_together(Batch(llm, 2, capacity(vectors)), one_by_one(queue())))
    assert len(asked) == 2


def test_a_sequence_that_may_outgrow_its_row_is_refused(llm: Llm, vectors: dict[str, Tensor]) -> None:
    with pytest.raises(TooLong, match="positions"):
        list(decode_together(Batch(llm, 1, capacity(vectors) - 1), one_by_one([speaker_of("ras_seed1", vectors)])))
