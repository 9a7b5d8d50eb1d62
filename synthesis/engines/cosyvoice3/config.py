"""Hyper-parameters: the released preset, overridden by what a model folder's own JSON files say.

Only numbers are read; nothing is ever constructed from a file. ``cosyvoice3.yaml`` is not read at all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from synthesis.engines.base import WeightsUnusable
from synthesis.engines.cosyvoice3.flow import FlowConfig
from synthesis.engines.cosyvoice3.vocoder_layers import VocoderConfig

CONFIG_FILE = "config.json"
"""Sections ``llm``, ``flow`` and ``hift``. The published one is an empty object: everything as released."""
BACKBONE_FILES = ("qwen2_config.json", "CosyVoice-BlankEN/config.json")
"""The first that exists describes the Qwen2 backbone, in the words of its publisher."""


@dataclass(frozen=True, slots=True)
class BackboneConfig:
    """The Qwen2 transformer. Field names are the publisher's; defaults are the released 0.5B's."""

    hidden_size: int = 896
    num_hidden_layers: int = 24
    num_attention_heads: int = 14
    num_key_value_heads: int = 2
    intermediate_size: int = 4864
    vocab_size: int = 151936
    """Rows of the text embedding."""
    max_position_embeddings: int = 32768
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


@dataclass(frozen=True, slots=True)
class LlmConfig:
    """The language model: text ids and speech ids in, speech ids out."""

    SPECIAL_IDS: ClassVar[int] = 200
    """Ids after the speech tokens. Whichever of them is drawn ends the speech."""

    backbone: BackboneConfig = BackboneConfig()
    speech_token_size: int = 6561
    """Speech tokens of the quantiser, 25 of them a second."""
    endofprompt_id: int = 151646
    """Text id of ``<|endofprompt|>``, which every sequence must hold."""

    @property
    def speech_ids(self) -> int:
        """Rows of the speech embedding and of the head."""
        return self.speech_token_size + self.SPECIAL_IDS

    @property
    def sos_id(self) -> int:
        return self.speech_token_size

    @property
    def eos_id(self) -> int:
        return self.speech_token_size + 1

    @property
    def task_id(self) -> int:
        return self.speech_token_size + 2

    @property
    def fill_id(self) -> int:
        """Streaming text: the model wants more of it."""
        return self.speech_token_size + 3


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """All of a model folder."""

    llm: LlmConfig = LlmConfig()
    flow: FlowConfig = field(default_factory=FlowConfig)
    vocoder: VocoderConfig = field(default_factory=VocoderConfig)


Section = TypeVar("Section")

MAY_BE_ZERO = frozenset({"endofprompt_id", "noise_seed", "noise_skip"})


def read_config(folder: Path) -> ModelConfig:
    """The configuration for the weights in ``folder``. Raises WeightsUnusable as ``read_llm_config``."""
    llm = read_llm_config(folder)
    flow = replace(FlowConfig(), vocabulary=llm.speech_token_size)
    return ModelConfig(
        llm,
        overridden(flow, read_section(folder, "flow"), CONFIG_FILE),
        overridden(VocoderConfig(), read_section(folder, "hift"), CONFIG_FILE),
    )


def read_llm_config(folder: Path) -> LlmConfig:
    """The language model's configuration for the weights in ``folder``.

    Raises WeightsUnusable, naming the file, if one cannot be read or asks for something that this model is not.
    """
    backbone = read_backbone(folder)
    section, file = read_section(folder, "llm"), folder / CONFIG_FILE
    for width in ("llm_input_size", "llm_output_size"):
        if section.get(width, backbone.hidden_size) != backbone.hidden_size:
            raise WeightsUnusable(
                f"{file.name}: llm.{width} is {section[width]}, but the backbone is {backbone.hidden_size} wide."
            )
    return replace(overridden(LlmConfig(), section, file.name), backbone=backbone)


def read_backbone(folder: Path) -> BackboneConfig:
    """The backbone as the first of BACKBONE_FILES says, or as released. Raises WeightsUnusable."""
    for name in BACKBONE_FILES:
        if (folder / name).exists():
            values = read_json(folder, name)
            refuse_other_backbones(values, name)
            return overridden(BackboneConfig(), values, name)
    return BackboneConfig()


def refuse_other_backbones(values: Mapping[str, Any], name: str) -> None:
    """Raise WeightsUnusable for what would need other arithmetic than the released model's."""
    for key, released in (("model_type", "qwen2"), ("hidden_act", "silu"), ("use_sliding_window", False)):
        if values.get(key, released) != released:
            raise WeightsUnusable(f"{name}: {key} must be {released!r} for CosyVoice 3, not {values[key]!r}.")
    if values.get("rope_scaling"):
        raise WeightsUnusable(f"{name}: rope_scaling is not part of CosyVoice 3.")
    heads, groups = values.get("num_attention_heads", 14), values.get("num_key_value_heads", 2)
    width = values.get("hidden_size", 896)
    if all(isinstance(value, int) and value > 0 for value in (heads, groups, width)) and (
        heads % groups or width % (2 * heads)
    ):
        raise WeightsUnusable(f"{name}: {heads} heads in {groups} groups do not divide a width of {width}.")


def read_section(folder: Path, section: str) -> Mapping[str, Any]:
    """What ``config.json`` of ``folder`` says of ``llm``, ``flow`` or ``hift``; empty: as released.

    Raises WeightsUnusable.
    """
    if not (folder / CONFIG_FILE).exists():
        return {}
    values = read_json(folder, CONFIG_FILE).get(section, {})
    if not isinstance(values, dict):
        raise WeightsUnusable(f"{CONFIG_FILE}: {section} is not an object of names and numbers.")
    return values


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The object in the file. Raises WeightsUnusable."""
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsUnusable(f"{name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise WeightsUnusable(f"{name} is damaged: it is not JSON.") from error
    if not isinstance(values, dict):
        raise WeightsUnusable(f"{name} is damaged: it holds no object.")
    return values


def overridden(preset: Section, values: Mapping[str, Any], name: str) -> Section:
    """``preset``, a frozen dataclass, with every field that ``values`` names; other names are not ours.

    Numbers must be positive (MAY_BE_ZERO aside); a list of numbers becomes a tuple.
    Raises WeightsUnusable naming the file ``name``.
    """
    changes: dict[str, Any] = {}
    for each in fields(preset):  # type: ignore[arg-type]  # a TypeVar cannot be bound to "some dataclass"
        if each.name in values:
            changes[each.name] = like(
                getattr(preset, each.name), values[each.name], f"{name}: {each.name}", each.name in MAY_BE_ZERO
            )
    return replace(preset, **changes)  # type: ignore[type-var]


def like(released: Any, value: Any, what: str, zero: bool = False) -> Any:
    """``value`` in the kind of the released one: a positive int, a positive float or a tuple of those.

    ``zero`` is allowed where it says so. Raises WeightsUnusable, saying ``what`` is wrong.
    """
    if isinstance(released, tuple) and isinstance(value, list) and value:
        return tuple(like(released[0], each, what) for each in value)
    number = isinstance(value, int | float) and not isinstance(value, bool) and (value > 0 or (zero and value == 0))
    if isinstance(released, int) and number and value == int(value):
        return int(value)
    if isinstance(released, float) and number:
        return float(value)
    raise WeightsUnusable(f"{what} must be like {released!r}, not {value!r}.")
