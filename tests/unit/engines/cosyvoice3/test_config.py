"""Hyper-parameters: as released, or as the model folder's own files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthesis.engines.base import WeightsUnusable
from synthesis.engines.cosyvoice3.config import LlmConfig, ModelConfig, read_config, read_llm_config
from synthesis.engines.cosyvoice3.llm_weights import published_shapes

SMALL = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 520}


def written(folder: Path, name: str, values: Any) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")


def test_a_folder_that_says_nothing_holds_the_released_model(tmp_path: Path) -> None:
    written(tmp_path, "config.json", {})
    assert read_config(tmp_path) == ModelConfig()


def test_every_model_follows_its_section(tmp_path: Path) -> None:
    hift = {"upsample_rates": [4, 5, 6], "n_fft": 16, "noise_skip": 0}
    llm = {"speech_token_size": 512, "endofprompt_id": 0}
    written(tmp_path, "config.json", {"llm": llm, "flow": {"dim": 64}, "hift": hift})
    config = read_config(tmp_path)
    assert config.llm.endofprompt_id == 0
    assert (config.flow.dim, config.flow.depth, config.flow.vocabulary) == (64, 22, 512)
    assert (config.vocoder.upsample_rates, config.vocoder.noise_skip) == ((4, 5, 6), 0)


def test_the_released_model_has_the_published_names_and_numbers() -> None:
    shapes = published_shapes(LlmConfig())
    numbers = 0
    for shape in shapes.values():
        size = 1
        for length in shape:
            size *= length
        numbers += size
    assert (len(shapes) + 1, numbers) == (293, 506_148_480)  # and the tied head, which shares its storage


def test_the_special_ids_follow_the_speech_tokens() -> None:
    config = LlmConfig()
    assert (config.sos_id, config.eos_id, config.task_id, config.fill_id) == (6561, 6562, 6563, 6564)
    assert config.speech_ids == 6761


@pytest.mark.parametrize("name", ["qwen2_config.json", "CosyVoice-BlankEN/config.json"])
def test_the_backbone_file_of_the_folder_is_followed(tmp_path: Path, name: str) -> None:
    written(tmp_path, name, SMALL | {"rope_theta": 10000, "torch_dtype": "bfloat16", "attention_dropout": 0.0})
    written(tmp_path, "config.json", {"llm": {"llm_input_size": 64, "endofprompt_id": 500}, "seed": 3})
    config = read_llm_config(tmp_path)
    assert (config.backbone.hidden_size, config.backbone.head_dim, config.backbone.rope_theta) == (64, 16, 10000.0)
    assert config.backbone.num_hidden_layers == 24
    assert config.endofprompt_id == 500


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("config.json", "{", "config.json is damaged"),
        ("config.json", [], "config.json is damaged"),
        ("config.json", {"llm": 3}, "config.json: llm"),
        ("config.json", {"llm": {"endofprompt_id": "500"}}, "config.json: endofprompt_id"),
        ("config.json", {"llm": {"speech_token_size": 0}}, "config.json: speech_token_size"),
        ("config.json", {"flow": {"depth": -1}}, "config.json: depth"),
        ("config.json", {"hift": {"upsample_rates": [8, 0, 3]}}, "config.json: upsample_rates"),
        ("config.json", {"hift": {"upsample_rates": []}}, "config.json: upsample_rates"),
        ("config.json", {"llm": {"llm_input_size": 64}}, "llm_input_size is 64"),
        ("qwen2_config.json", SMALL | {"hidden_size": 64.5}, "qwen2_config.json: hidden_size"),
        ("qwen2_config.json", SMALL | {"rms_norm_eps": True}, "qwen2_config.json: rms_norm_eps"),
        ("qwen2_config.json", SMALL | {"num_key_value_heads": 3}, "do not divide"),
        ("qwen2_config.json", SMALL | {"hidden_size": 60}, "do not divide"),
        ("qwen2_config.json", SMALL | {"hidden_act": "gelu"}, "hidden_act"),
        ("qwen2_config.json", SMALL | {"model_type": "llama"}, "model_type"),
        ("qwen2_config.json", SMALL | {"use_sliding_window": True}, "use_sliding_window"),
        ("qwen2_config.json", SMALL | {"rope_scaling": {"type": "yarn"}}, "rope_scaling"),
    ],
)
def test_a_wrong_configuration_is_one_sentence_that_names_the_file(
    tmp_path: Path, name: str, values: Any, words: str
) -> None:
    written(tmp_path, name, values)
    with pytest.raises(WeightsUnusable) as caught:
        read_config(tmp_path)
    assert name in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_another_encoding_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"\xff\xfe{\x00}\x00")
    with pytest.raises(WeightsUnusable, match=r"config\.json is damaged"):
        read_config(tmp_path)
