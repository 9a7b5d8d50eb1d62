"""Small models in the published formats: a tokenizer's table, the front end's ONNX models, a whole directory."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers.pre_tokenizers import ByteLevel

from synthesis.engines.cosyvoice3.config import CONFIG_FILE, BackboneConfig
from synthesis.engines.cosyvoice3.folder import FLOW, TEXT_TOKENIZER, VOCODER
from synthesis.engines.cosyvoice3.frontend import SPEAKER_ENCODER, SPEECH_TOKENIZER
from synthesis.engines.cosyvoice3.llm_weights import TIED_HEAD, WEIGHTS_FILE
from synthesis.engines.cosyvoice3.tokenizer import END_OF_PROMPT, special_tokens

MERGES = ("t h", "th e", "Ġ a")
QWEN2 = "qwen2_config.json"


def write_tokenizer(folder: Path) -> int:
    """``vocab.json`` and ``merges.txt`` of all bytes and a few words. Returns how many ids they hold."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*sorted(ByteLevel.alphabet()), *(merge.replace(" ", "") for merge in MERGES)]
    table = {word: index for index, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(table), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES, ""]), encoding="utf-8")
    return len(words)


def write_speech_tokenizer(path: Path) -> None:
    """Log-mel (1, 128, T) and its length → (1, ⌈T/4⌉) ids below 6561: a fixed mix of four frames, hashed by size."""
    mixed = np.random.default_rng(5).normal(size=(1, 128, 4)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["feats", "mix"], ["mixed"], strides=[4], pads=[0, 3]),
        helper.make_node("Abs", ["mixed"], ["size"]),
        helper.make_node("Mul", ["size", "scale"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mod", ["whole", "codes"], ["ids"]),
        helper.make_node("Squeeze", ["ids", "channel"], ["tokens"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "mix": mixed,
        "scale": np.array(997.0, dtype=np.float32),
        "codes": np.array(6561, dtype=np.int64),
        "channel": np.array([1], dtype=np.int64),
    }
    inputs = [
        helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, 128, "T"]),
        helper.make_tensor_value_info("feats_length", TensorProto.INT32, [1]),
    ]
    outputs = [helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "N"])]
    _write(path, nodes, constants, inputs, outputs)


def write_speaker_encoder(path: Path) -> None:
    """Fbank (1, T, 80) → (1, 192): the mean frame, mixed."""
    nodes = [
        helper.make_node("ReduceMax", ["frames", "time"], ["peak"], keepdims=0),
        helper.make_node("MatMul", ["peak", "mix"], ["embedding"]),
    ]
    mix = np.random.default_rng(6).normal(size=(80, 192)).astype(np.float32)
    constants: dict[str, NDArray[Any]] = {"mix": mix, "time": np.array([1], dtype=np.int64)}
    inputs = [helper.make_tensor_value_info("frames", TensorProto.FLOAT, [1, "T", 80])]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 192])]
    _write(path, nodes, constants, inputs, outputs)


def write_endless(path: Path) -> None:
    """(1, 1500, 1500) → the same, after a minute or more of products."""
    names = ["x", *(f"x{index}" for index in range(400))]
    nodes = [helper.make_node("MatMul", [one, "mix"], [other]) for one, other in pairwise(names)]
    constants: dict[str, NDArray[Any]] = {"mix": np.full((1500, 1500), 1 / 1500, dtype=np.float32)}
    shape = [1, 1500, 1500]
    inputs = [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, shape)]
    _write(path, nodes, constants, inputs, outputs)


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> None:
    values = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, initializer=values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_model(folder: Path, golden: Path) -> Path:
    """A model directory: the golden set's weights, with as many text embeddings as ``write_tokenizer`` has ids.

    It takes as many positions as the released model: its tokenizer knows few words, so texts are long.
    """
    words = write_tokenizer(folder / TEXT_TOKENIZER)
    ids = words + len(special_tokens())
    for name in (FLOW, VOCODER):
        (folder / name).write_bytes((golden / name).read_bytes())
    changed = {"vocab_size": ids, "max_position_embeddings": BackboneConfig().max_position_embeddings}
    backbone = json.loads((golden / QWEN2).read_text(encoding="utf-8")) | changed
    (folder / QWEN2).write_text(json.dumps(backbone), encoding="utf-8")
    config = json.loads((golden / CONFIG_FILE).read_text(encoding="utf-8"))
    config["llm"]["endofprompt_id"] = words + special_tokens().index(END_OF_PROMPT)
    (folder / CONFIG_FILE).write_text(json.dumps(config), encoding="utf-8")
    state = torch.load(golden / WEIGHTS_FILE, map_location="cpu", weights_only=True)
    name = "llm.model.model.embed_tokens.weight"
    rows = torch.randn(ids, state[name].shape[1], generator=torch.Generator().manual_seed(7)) * state[name].std()
    rows[: len(state[name])] = state[name][:ids]
    torch.save({**state, name: rows, TIED_HEAD: rows}, folder / WEIGHTS_FILE)
    write_speech_tokenizer(folder / SPEECH_TOKENIZER)
    write_speaker_encoder(folder / SPEAKER_ENCODER)
    return folder
