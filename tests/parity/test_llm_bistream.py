"""Speech for text that is still arriving, against the golden sequences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from synthesis.engines.base import EngineError, Stopped
from synthesis.engines.cosyvoice3.bistream import decode_arriving
from synthesis.engines.cosyvoice3.llm import DecodeOptions, Llm, Prompt
from synthesis.engines.cosyvoice3.sampling import Sampler, greedy

NOTHING = torch.zeros(0, dtype=torch.int64)


@pytest.fixture(scope="module")
def case(golden_json: Callable[[str], Any]) -> dict[str, Any]:
    read: dict[str, Any] = golden_json("llm_sequences.json")["bistream"]
    return read


def flat(ids: Any) -> Tensor:
    return torch.tensor(ids, dtype=torch.int64).flatten()


def ruled(llm: Llm, most: int) -> Sampler:
    """The set's rule: the likeliest speech token, and the end once ``most`` ids are said and the text is over."""
    special = tuple(range(llm.config.speech_token_size, llm.config.speech_ids))

    def sample(log_probs: Tensor, decoded: Sequence[int], forbidden: Sequence[int]) -> int:
        over = not forbidden and len(decoded) >= most
        return llm.config.eos_id if over else greedy(log_probs, decoded, special)

    return sample


def spoken(llm: Llm, case: dict[str, Any], speech: Tensor, sample: Sampler, *, keep_least: bool = False) -> list[int]:
    prompt = Prompt(NOTHING, flat(case["prompt_text"]), speech)
    options = DecodeOptions(keep_least=keep_least)
    return list(decode_arriving(llm, map(flat, case["text_chunks"]), prompt, sample, options, lambda: False))


@pytest.mark.parametrize("name", ["noprompt", "prompt"])
@pytest.mark.parametrize("keep_least", [False, True])
def test_text_that_arrives_in_pieces_gives_the_golden_tokens(
    llm: Llm, case: dict[str, Any], name: str, keep_least: bool
) -> None:
    speech = flat(case["prompt_speech_token"]) if name == "prompt" else NOTHING
    most = int(re.findall(r"once (\d+) ids", case["rule"])[0])
    assert spoken(llm, case, speech, ruled(llm, most), keep_least=keep_least) == case["sequences"][name]


def test_an_end_before_the_text_is_over_is_an_error_as_released(llm: Llm, case: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="before the text had ended"):
        spoken(llm, case, NOTHING, lambda log_probs, decoded, forbidden: llm.config.eos_id)


def test_a_stop_is_obeyed_before_the_next_token(llm: Llm, case: dict[str, Any]) -> None:
    prompt = Prompt(NOTHING, flat(case["prompt_text"]), NOTHING)
    stop = iter([*[False] * 10, True])
    pieces = map(flat, case["text_chunks"])
    tokens = decode_arriving(llm, pieces, prompt, ruled(llm, 40), DecodeOptions(), lambda: next(stop))
    assert len([next(tokens) for _ in range(10)]) == 10
    with pytest.raises(Stopped):
        next(tokens)
