"""The golden set: weights of a tiny random model in the published layout, with inputs and outputs at every stage.

``COSYWEB_GOLDEN_DIR`` names another set of the same format. Its shapes, seeds and hyper-parameters differ, so tests
read them from its ``config.json`` and ``qwen2_config.json``. Tolerances are those of the set's README.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from synthesis.engines.cosyvoice3.config import read_llm_config
from synthesis.engines.cosyvoice3.linears import fit
from synthesis.engines.cosyvoice3.llm import Llm
from synthesis.engines.cosyvoice3.llm_weights import load_llm

Tensors = dict[str, Tensor]


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of the set."""
    return Path(os.environ.get("COSYWEB_GOLDEN_DIR") or Path(__file__).parent / "golden")


@pytest.fixture(scope="session")
def golden_json(golden: Path) -> Callable[[str], Any]:
    """Reads a JSON file of the set by its name."""

    def read(name: str) -> Any:
        return json.loads((golden / name).read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def golden_config(golden_json: Callable[[str], Any]) -> dict[str, Any]:
    """Sections ``llm``, ``flow``, ``hift``, ``gen`` and the set's seed."""
    config: dict[str, Any] = golden_json("config.json")
    return config


@pytest.fixture(scope="session")
def golden_tensors(golden: Path) -> Callable[[str], Tensors]:
    """Reads a safetensors file of the set by its name without the ending."""

    def read(name: str) -> Tensors:
        return load_file(golden / f"{name}.safetensors")

    return read


@pytest.fixture(scope="session")
def golden_state(golden: Path) -> Callable[[str], Tensors]:
    """Reads a state dict of the set (``llm``, ``flow``, ``hift``)."""

    def read(name: str) -> Tensors:
        state: Tensors = torch.load(golden / f"{name}.pt", map_location="cpu", weights_only=True)
        return state

    return read


@pytest.fixture(scope="session", params=["torch's linear layers", "packed"])
def llm(golden: Path, request: pytest.FixtureRequest) -> Llm:
    """The language model of the set, as it is on a GPU and as on a processor."""
    device = torch.device("cpu")
    model = load_llm(golden, read_llm_config(golden), device)
    if request.param == "packed":
        fit(model, "float32", device)
    return model


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """The tiny model is faster on one thread, and the machine may be busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
