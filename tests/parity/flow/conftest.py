"""The flow and the vocoder of the golden set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor

from synthesis.engines.cosyvoice3.flow import Flow, FlowConfig, FlowPrompt
from synthesis.engines.cosyvoice3.flow_weights import load_flow
from synthesis.engines.cosyvoice3.linears import fit
from synthesis.engines.cosyvoice3.vocoder import Vocoder
from synthesis.engines.cosyvoice3.vocoder_layers import VocoderConfig
from synthesis.engines.cosyvoice3.vocoder_weights import load_vocoder

Tensors = dict[str, Tensor]
NOISE_SEED_OFFSET = 5
"""The set's source noise is seeded with its own seed and this."""


def chosen(config: type, section: dict[str, Any], **more: Any) -> Any:
    """A configuration with what the set's section says; lists become tuples."""
    names = {field.name for field in fields(config)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in section.items()}
    return config(**{name: value for name, value in values.items() if name in names} | more)


@pytest.fixture(scope="session")
def flow_weights(golden_state: Callable[[str], Tensors]) -> Tensors:
    return golden_state("flow")


@pytest.fixture(scope="session")
def flow_config(golden_config: dict[str, Any]) -> FlowConfig:
    config: FlowConfig = chosen(FlowConfig, golden_config["flow"])
    return config


@pytest.fixture(scope="session", params=["torch's linear layers", "packed"])
def flow(flow_config: FlowConfig, flow_weights: Tensors, request: pytest.FixtureRequest) -> Flow:
    loaded = load_flow(flow_config, flow_weights)
    if request.param == "packed":
        fit(loaded.solver.dit.blocks, "float32", torch.device("cpu"))
    return loaded


@pytest.fixture(scope="session")
def vocoder_config(golden_config: dict[str, Any]) -> VocoderConfig:
    seed = golden_config["seed"] + NOISE_SEED_OFFSET
    config: VocoderConfig = chosen(VocoderConfig, golden_config["hift"], noise_seed=seed, noise_skip=0)
    return config


@pytest.fixture(scope="session")
def vocoder(vocoder_config: VocoderConfig, golden_state: Callable[[str], Tensors]) -> Vocoder:
    return load_vocoder(vocoder_config, golden_state("hift"))


def prompt_of(vectors: Tensors) -> FlowPrompt:
    return FlowPrompt(vectors["prompt_token"][0], vectors["prompt_feat"][0], vectors["embedding"][0])
