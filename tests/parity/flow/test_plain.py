"""The plain arm of the bench computes the golden results too: it is slower, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.plain_cosyvoice3 import PlainFlow, PlainLlm, PlainSampler
from synthesis.engines.cosyvoice3.config import read_llm_config
from synthesis.engines.cosyvoice3.flow import Flow
from synthesis.engines.cosyvoice3.sampling import RepetitionAware
from tests.parity.flow.conftest import prompt_of

Tensors = dict[str, Tensor]
ATOL = 5e-5


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=ATOL, rtol=0)


@torch.inference_mode()
def test_language_model(
    golden: Path, golden_state: Callable[[str], Tensors], golden_tensors: Callable[[str], Tensors]
) -> None:
    vectors = golden_tensors("llm_io")
    llm, cache = PlainLlm(golden_state("llm"), read_llm_config(golden)), list[tuple[Tensor, Tensor]]()
    close(llm.next(vectors["lm_input"][0], cache), vectors["prefix_logp_last"])
    for token, logits in zip(vectors["forced_tokens"].tolist(), vectors["step_logits"], strict=True):
        close(llm.next(llm.speech([token]), cache), logits.log_softmax(-1))


def test_sampler() -> None:
    generator = torch.Generator().manual_seed(3)
    plain, ours = PlainSampler(1), RepetitionAware(torch.Generator().manual_seed(1))
    decoded: list[int] = []
    for _ in range(200):
        log_probs = (3 * torch.randn(300, generator=generator)).log_softmax(0)
        decoded.append(ours(log_probs, decoded, ()))
        assert plain(log_probs.clone(), decoded[:-1]) == decoded[-1]


@torch.inference_mode()
def test_flow(flow: Flow, flow_weights: Tensors, golden_tensors: Callable[[str], Tensors]) -> None:
    vectors: dict[str, Any] = golden_tensors("flow_io")
    plain, prompt, tokens = PlainFlow(flow_weights, flow), prompt_of(vectors), vectors["token"][0]
    close(plain.mel(tokens, prompt), flow.mel(tokens, prompt))
    ready = len(tokens) - (len(tokens) + len(prompt.tokens) - 3) % flow.config.chunk_tokens
    masked = plain.mel(tokens[:ready], prompt, chunked=True, last=False)
    close(masked, flow.mel(tokens[:ready], prompt, chunked=True, last=False))
