"""The language model against the golden set: prefix, steps with the cache, whole sequences, sampler, silences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from synthesis.engines.base import Stopped
from synthesis.engines.cosyvoice3.linears import fit
from synthesis.engines.cosyvoice3.llm import Cache, DecodeOptions, Llm, Prompt, decode, prefix
from synthesis.engines.cosyvoice3.llm_weights import load_llm
from synthesis.engines.cosyvoice3.sampling import RepetitionAware, Sampler, SamplingOptions, greedy, nucleus
from synthesis.engines.cosyvoice3.silence import without_long_silences

close = partial(torch.testing.assert_close, rtol=0.0, atol=5e-5)
"""The set's tolerance for logits."""
GREEDY = {"greedy": False, "greedy_speech_only": True}


@pytest.fixture(scope="module")
def vectors(golden_tensors: Callable[[str], dict[str, Tensor]]) -> dict[str, Tensor]:
    return golden_tensors("llm_io")


@pytest.fixture(scope="module")
def sequences(golden_json: Callable[[str], Any]) -> dict[str, Any]:
    read: dict[str, Any] = golden_json("llm_sequences.json")
    return read


@pytest.fixture
def prompt(vectors: dict[str, Tensor]) -> Prompt:
    ids = (vectors[name][0].long() for name in ("text", "prompt_text", "prompt_speech_token"))
    return Prompt(*ids)


def test_the_prefix_is_start_text_task_and_prompt_speech(llm: Llm, prompt: Prompt, vectors: dict[str, Tensor]) -> None:
    torch.testing.assert_close(prefix(llm, prompt), vectors["lm_input"][0], rtol=0, atol=0)


def test_the_prefix_gives_the_golden_states_and_logits(llm: Llm, vectors: dict[str, Tensor]) -> None:
    heard = vectors["lm_input"][0]
    hidden = llm(heard, Cache(llm, len(heard)))
    logits = llm.head(hidden)
    close(hidden, vectors["prefix_hidden"])
    close(logits[:, :64], vectors["prefix_logits_head64"])
    close(logits[-1], vectors["prefix_logits_last"])
    close(llm.log_probs(hidden[-1]), vectors["prefix_logp_last"])


@pytest.mark.parametrize("spare", [0, 1000])
def test_steps_with_the_cache_give_the_golden_logits(llm: Llm, vectors: dict[str, Tensor], spare: int) -> None:
    """With a cache that has to grow, and with one that is far too long."""
    heard = vectors["lm_input"][0]
    cache = Cache(llm, len(heard) + spare)
    llm(heard, cache)
    for step, token in enumerate(vectors["forced_tokens"].tolist()):
        hidden = llm(llm.speech([token]), cache)
        close(hidden[0], vectors["step_hidden"][step])
        close(llm.head(hidden[0]), vectors["step_logits"][step])


def test_several_positions_after_the_first_see_no_later_ones(llm: Llm, vectors: dict[str, Tensor]) -> None:
    halves = vectors["lm_input"][0].tensor_split(2)
    cache = Cache(llm, sum(map(len, halves)))
    close(torch.cat([llm(half, cache) for half in halves]), vectors["prefix_hidden"])


def test_eight_bit_layers_keep_the_logits_near(golden: Path, llm: Llm, vectors: dict[str, Tensor]) -> None:
    """Near, not equal: the option is never the default."""
    heard = vectors["lm_input"][0]
    rounded = load_llm(golden, llm.config, torch.device("cpu"))
    fit(rounded.blocks, "int8", torch.device("cpu"))
    off = rounded.head(rounded(heard, Cache(rounded, len(heard)))) - llm.head(llm(heard, Cache(llm, len(heard))))
    assert 0 < off.std() < 0.05 * vectors["prefix_logits_head64"].std()


def spoken(llm: Llm, prompt: Prompt, sample: Sampler, options: DecodeOptions | None = None) -> list[int]:
    silent_progress = lambda done, total: None  # noqa: E731 - a callback of no interest
    return list(decode(llm, prompt, sample, options or DecodeOptions(), silent_progress, lambda: False))


@pytest.mark.parametrize("name", GREEDY)
def test_greedy_sequences_are_the_golden_ones(llm: Llm, prompt: Prompt, sequences: dict[str, Any], name: str) -> None:
    special = tuple(range(llm.config.speech_token_size, llm.config.speech_ids)) if GREEDY[name] else ()
    tokens = spoken(llm, prompt, lambda log_probs, decoded, _: greedy(log_probs, decoded, special))
    assert tokens == sequences["sequences"][name]


def test_seeded_sequences_are_the_golden_ones(llm: Llm, prompt: Prompt, sequences: dict[str, Any]) -> None:
    seeded = {name: ids for name, ids in sequences["sequences"].items() if name.startswith("ras_")}
    assert seeded
    unprompted = Prompt(prompt.text, prompt.prompt_text, prompt.prompt_speech[:0])
    for name, ids in seeded.items():
        seed = int(name.rpartition("seed")[2])
        sample = RepetitionAware(torch.Generator().manual_seed(seed))
        assert spoken(llm, unprompted if "noprompt" in name else prompt, sample) == ids, name


def test_the_sampler_draws_what_the_golden_cases_drew(
    llm: Llm, sequences: dict[str, Any], golden_tensors: Callable[[str], dict[str, Tensor]]
) -> None:
    scores = golden_tensors("llm_sampler_scores")["scores"]
    for case in sequences["sampler_cases"]:
        row = scores[case["row"]]
        given = row.clone()
        sample = RepetitionAware(torch.Generator().manual_seed(case["seed"]))
        forbidden = (llm.config.sos_id,) if case["ignore_eos"] else ()
        assert sample(row, case["decoded"], forbidden) == case["result"], case["row"]
        masked = row.index_fill(0, torch.tensor(forbidden, dtype=torch.int64), float("-inf"))
        assert nucleus(masked, SamplingOptions())[1].tolist() == case["nucleus"], case["row"]
        assert torch.equal(row, given)


def test_the_silent_filter_keeps_what_the_golden_cases_kept(golden_json: Callable[[str], Any]) -> None:
    for case in golden_json("silent_filter.json"):
        assert list(without_long_silences(case["raw"])) == case["kept"]


def only_ends(llm: Llm) -> Sampler:
    """Takes the first id that ends the speech, if it may."""
    ends = range(llm.config.eos_id, llm.config.speech_ids)

    def sample(log_probs: Tensor, decoded: Any, forbidden: Any) -> int:
        allowed = [id_ for id_ in ends if id_ not in forbidden]
        return allowed[0] if allowed else greedy(log_probs, decoded, forbidden)

    return sample


def test_as_released_the_speech_may_end_at_once(llm: Llm, prompt: Prompt) -> None:
    assert spoken(llm, prompt, only_ends(llm)) == []


def test_the_lower_bound_holds_where_it_is_asked_for(llm: Llm, prompt: Prompt) -> None:
    options = DecodeOptions(keep_least=True)
    tokens = spoken(llm, prompt, only_ends(llm), options)
    assert len(tokens) == 2 * len(prompt.text)
    assert max(tokens) < llm.config.speech_token_size


def test_a_stop_is_obeyed_before_the_next_token(llm: Llm, prompt: Prompt) -> None:
    sample = RepetitionAware(torch.Generator().manual_seed(1))
    stop = iter([False, False, False, True])
    options = DecodeOptions(keep_least=True, least_per_text_id=3)
    tokens = decode(llm, prompt, sample, options, lambda done, total: None, lambda: next(stop))
    assert len([next(tokens) for _ in range(3)]) == 3
    with pytest.raises(Stopped):
        next(tokens)


def test_progress_counts_tokens_and_never_says_that_it_is_done(llm: Llm, prompt: Prompt) -> None:
    steps: list[tuple[float, float]] = []
    sample = RepetitionAware(torch.Generator().manual_seed(1))
    options = DecodeOptions(keep_least=True)
    tokens = list(decode(llm, prompt, sample, options, lambda done, total: steps.append((done, total)), lambda: False))
    assert [done for done, _ in steps] == list(range(1, len(tokens) + 1))
    assert all(done < total for done, total in steps)


def test_a_text_without_the_end_of_prompt_is_refused(llm: Llm, prompt: Prompt) -> None:
    bare = Prompt(prompt.text, prompt.prompt_text[:0], prompt.prompt_speech)
    with pytest.raises(ValueError, match="endofprompt"):
        spoken(llm, bare, greedy)
