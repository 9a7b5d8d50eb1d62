"""The files of a model folder to the loaded models."""

from dataclasses import dataclass
from pathlib import Path

import torch

from synthesis.engines.base import WeightsUnusable
from synthesis.engines.cosyvoice3.config import read_config
from synthesis.engines.cosyvoice3.decoder import Decoder
from synthesis.engines.cosyvoice3.flow import Flow
from synthesis.engines.cosyvoice3.flow_weights import flow_shapes, load_flow
from synthesis.engines.cosyvoice3.folder import FLOW, TEXT_TOKENIZER, VOCODER
from synthesis.engines.cosyvoice3.frontend import FrontEnd
from synthesis.engines.cosyvoice3.linears import PRECISIONS, Precision, fit
from synthesis.engines.cosyvoice3.llm import Llm
from synthesis.engines.cosyvoice3.llm_weights import load_llm
from synthesis.engines.cosyvoice3.options import Options, use_threads
from synthesis.engines.cosyvoice3.tokenizer import END_OF_PROMPT, VOCABULARY, TextTokenizer, load_tokenizer
from synthesis.engines.cosyvoice3.vocoder_weights import load_vocoder, vocoder_shapes
from synthesis.engines.cosyvoice3.weights import read_state


@dataclass(frozen=True, slots=True)
class Models:
    """All that is loaded. Immutable."""

    front: FrontEnd
    tokenizer: TextTokenizer
    llm: Llm
    decoder: Decoder


def load_models(folder: Path, options: Options) -> Models:
    """Raises WeightsUnusable; the small files come first, so that what is wrong is known soon."""
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    use_threads(options.threads)
    dtype = PRECISIONS[options.precision]
    if options.precision == "int8" and device.type != "cpu":
        raise ValueError("8-bit layers are for processors; on a GPU choose bfloat16.")
    config = read_config(folder)
    tokenizer = load_tokenizer(folder / TEXT_TOKENIZER)
    refuse_other_tokenizer(tokenizer, config.llm.endofprompt_id, config.llm.backbone.vocab_size)
    front = FrontEnd(folder, torch.get_num_threads())
    vocoder_weights = read_state(folder / VOCODER, vocoder_shapes(config.vocoder), drop="generator.")
    vocoder = load_vocoder(config.vocoder, vocoder_weights, device=device)
    flow_weights = read_state(folder / FLOW, flow_shapes(config.flow))
    flow = load_flow(config.flow, flow_weights, device=device, dtype=dtype)
    del flow_weights  # 1.3 GB that the next file needs
    language = load_llm(folder, config.llm, device, dtype)
    suit(language, flow, options.precision)
    return Models(front, tokenizer, language, Decoder(flow, vocoder))


def suit(language: Llm, flow: Flow, precision: Precision) -> None:
    """What is fastest on the models' device. The head, which chooses, never is in 8-bit integers."""
    fit(language.blocks, precision, language.device)
    fit(flow.solver.dit.blocks, precision, language.device)
    fit(language, "float32", language.device)
    # In float32 a GPU computes a solver step for longer than it takes to hand over its kernels.
    if language.device.type == "cuda" and precision != "float32":
        flow.solver.fix_lengths()


def refuse_other_tokenizer(tokenizer: TextTokenizer, end_of_prompt_id: int, rows: int) -> None:
    """Raise WeightsUnusable if the tokenizer's ids are not those that the language model was trained with."""
    name = f"{TEXT_TOKENIZER}/{VOCABULARY}"
    if tokenizer.size > rows:
        raise WeightsUnusable(f"{name} holds {tokenizer.size} ids; the language model knows {rows}.")
    if tokenizer.end_of_prompt_id != end_of_prompt_id:
        raise WeightsUnusable(
            f"{name} belongs to another model: {END_OF_PROMPT} is {tokenizer.end_of_prompt_id}, not {end_of_prompt_id}."
        )
