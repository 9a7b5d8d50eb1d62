"""The language model from its published file.

The weights of the text head are never loaded: nothing reads its result.
"""

from pathlib import Path

import torch
from torch import Tensor

from synthesis.engines.cosyvoice3.config import LlmConfig
from synthesis.engines.cosyvoice3.llm import Llm
from synthesis.engines.cosyvoice3.weights import Shapes, read_state

WEIGHTS_FILE = "llm.pt"
TIED_HEAD = "llm.model.lm_head.weight"
"""A copy of the text embedding, for text that nobody asks for."""


def load_llm(folder: Path, config: LlmConfig, device: torch.device, dtype: torch.dtype = torch.float32) -> Llm:
    """The model with the weights of ``folder``. Raises WeightsUnusable, OutOfMemory."""
    state = read_state(folder / WEIGHTS_FILE, published_shapes(config), unused=(TIED_HEAD,))
    return assembled(state, config, device, dtype)


def assembled(
    state: dict[str, Tensor], config: LlmConfig, device: torch.device, dtype: torch.dtype = torch.float32
) -> Llm:
    """From the published tensors, their shapes checked before (``published_shapes``). Empties ``state``."""
    with torch.device("meta"):
        model = Llm(config)
    model.load_state_dict(joined(state, config), assign=True)
    return model.to(device, dtype).eval().requires_grad_(False)


def published_shapes(config: LlmConfig) -> Shapes:
    """Every name in the published file and its shape, the tied head left out."""
    backbone = config.backbone
    width, inner = backbone.hidden_size, backbone.intermediate_size
    groups = backbone.num_key_value_heads * backbone.head_dim
    layer: dict[str, tuple[int, ...]] = {
        "self_attn.q_proj.weight": (width, width),
        "self_attn.q_proj.bias": (width,),
        "self_attn.k_proj.weight": (groups, width),
        "self_attn.k_proj.bias": (groups,),
        "self_attn.v_proj.weight": (groups, width),
        "self_attn.v_proj.bias": (groups,),
        "self_attn.o_proj.weight": (width, width),
        "mlp.gate_proj.weight": (inner, width),
        "mlp.up_proj.weight": (inner, width),
        "mlp.down_proj.weight": (width, inner),
        "input_layernorm.weight": (width,),
        "post_attention_layernorm.weight": (width,),
    }
    layers = range(backbone.num_hidden_layers)
    return {
        "llm.model.model.embed_tokens.weight": (backbone.vocab_size, width),
        **{f"llm.model.model.layers.{index}.{name}": shape for index in layers for name, shape in layer.items()},
        "llm.model.model.norm.weight": (width,),
        "llm_decoder.weight": (config.speech_ids, width),
        "speech_embedding.weight": (config.speech_ids, width),
    }


def joined(state: dict[str, Tensor], config: LlmConfig) -> dict[str, Tensor]:
    """``state`` under this model's names; what reads the same input becomes one matrix. Empties ``state``."""

    def taken(stem: str, *names: str) -> Tensor:
        parts = [state.pop(f"{stem}{name}") for name in names]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    weights = {
        "embed_text.weight": taken("llm.model.model.embed_tokens.weight", ""),
        "embed_speech.weight": taken("speech_embedding.weight", ""),
        "norm.weight": taken("llm.model.model.norm.weight", ""),
        "head.weight": taken("llm_decoder.weight", ""),
    }
    for index in range(config.backbone.num_hidden_layers):
        block, stem = f"blocks.{index}.", f"llm.model.model.layers.{index}."
        attention, feed = f"{stem}self_attn.", f"{stem}mlp."
        for kind in ("weight", "bias"):
            weights[f"{block}qkv.{kind}"] = taken(attention, *(f"{name}_proj.{kind}" for name in "qkv"))
        weights[f"{block}out.weight"] = taken(attention, "o_proj.weight")
        weights[f"{block}gate_up.weight"] = taken(feed, "gate_proj.weight", "up_proj.weight")
        weights[f"{block}down.weight"] = taken(feed, "down_proj.weight")
        weights[f"{block}input_norm.weight"] = taken(stem, "input_layernorm.weight")
        weights[f"{block}feed_norm.weight"] = taken(stem, "post_attention_layernorm.weight")
    return weights
