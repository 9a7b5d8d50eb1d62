"""Text that is still being written: blocks of 5 text ids answered by 15 speech ids each.

The model says ``fill`` when it wants more text, and is taken to have said it when a block is full. As released: one
block for each piece of text that arrives, and after the last piece the rest of the text at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from synthesis.engines.base import EngineError, ShouldStop, Stopped
from synthesis.engines.cosyvoice3.llm import Cache, DecodeOptions, Llm, Prompt, ruled_out
from synthesis.engines.cosyvoice3.sampling import Sampler

TEXT_IDS, SPEECH_IDS = 5, 15
"""Of a block."""
FIRST_CAPACITY = 512
"""Positions to begin with; nobody knows how much text will come."""


@dataclass(slots=True)
class Exchange:
    """One sequence while its text arrives."""

    cache: Cache
    next_input: Tensor
    """(L, H): what the model hears next. After a fill it is what it heard last."""
    text: Tensor
    """(n,) text ids that wait for their block."""
    prompt_speech: Tensor
    """(n,) prompt speech ids that no block has taken yet."""
    next_fill: int
    """Length of ``decoded`` at which a block is full."""
    decoded: list[int] = field(default_factory=list)
    """Speech ids and fills."""


def decode_arriving(
    model: Llm,
    pieces: Iterable[Tensor],
    prompt: Prompt,
    sample: Sampler,
    options: DecodeOptions,
    should_stop: ShouldStop,
) -> Iterator[int]:
    """Speech tokens for ``pieces`` of text ids, (n,) each, as they come; ``prompt.text`` comes before them.

    There is no bound of the length. ``options.keep_least`` rules out an end before the text has ended; without it
    EngineError is raised there, as also where the sequence outgrows the model. Raises Stopped.
    """
    state = opened(model, prompt)
    for piece in pieces:
        state.text = torch.cat([state.text, piece])
        take_prompt_speech(model, state)
        if not len(state.prompt_speech) and take_text(model, state):
            yield from block(model, state, sample, options, should_stop)
    rest = [model.text(state.text), model.speech([model.config.task_id])]
    state.next_input = torch.cat([state.next_input, *rest])
    yield from ending(model, state, sample, should_stop)


def opened(model: Llm, prompt: Prompt) -> Exchange:
    """Start, and the prompt's text up to ``<|endofprompt|>``; what follows it waits. Raises ValueError without one."""
    config, ids = model.config, torch.cat([prompt.prompt_text, prompt.text])
    ends = (ids == config.endofprompt_id).nonzero().flatten().tolist()
    if not ends:
        raise ValueError("The text and its prompt hold no <|endofprompt|>.")
    heard = torch.cat([model.speech([config.sos_id]), model.text(ids[: ends[0] + 1])])
    count = len(prompt.prompt_speech)
    next_fill = (count // SPEECH_IDS + 1) * SPEECH_IDS - count
    return Exchange(Cache(model, FIRST_CAPACITY), heard, ids[ends[0] + 1 :], prompt.prompt_speech, next_fill)


def take_prompt_speech(model: Llm, state: Exchange) -> None:
    """Whole blocks of waiting text and prompt speech into the next input."""
    while len(state.prompt_speech) and len(state.text) >= TEXT_IDS:
        text, speech = model.text(state.text[:TEXT_IDS]), model.speech(state.prompt_speech[:SPEECH_IDS])
        state.next_input = torch.cat([state.next_input, text, speech])
        state.text, state.prompt_speech = state.text[TEXT_IDS:], state.prompt_speech[SPEECH_IDS:]


def take_text(model: Llm, state: Exchange) -> bool:
    """After a fill, a block's text as the next input. False: there is too little of it yet."""
    if not state.decoded or state.decoded[-1] != model.config.fill_id:
        return True
    if len(state.text) < TEXT_IDS:
        return False
    state.next_input = model.text(state.text[:TEXT_IDS])
    state.text = state.text[TEXT_IDS:]
    return True


def block(
    model: Llm, state: Exchange, sample: Sampler, options: DecodeOptions, should_stop: ShouldStop
) -> Iterator[int]:
    """Speech tokens up to the next fill. Raises EngineError, Stopped."""
    fill = model.config.fill_id
    forbidden = ruled_out(model.config, options, but=fill)
    while True:
        if should_stop():
            raise Stopped
        log_probs = model.next(state.next_input, state.cache)
        full = len(state.decoded) == state.next_fill
        token = fill if full else sample(log_probs, state.decoded, forbidden)
        state.decoded.append(token)
        if token == fill:
            state.next_fill = len(state.decoded) + SPEECH_IDS
            return
        if token >= model.config.speech_token_size:
            raise EngineError("The model ended its speech before the text had ended.")
        yield token
        state.next_input = model.speech([token])


def ending(model: Llm, state: Exchange, sample: Sampler, should_stop: ShouldStop) -> Iterator[int]:
    """Speech tokens from the end of the text to the end of the speech. Raises EngineError, Stopped."""
    while True:
        if should_stop():
            raise Stopped
        token = sample(model.next(state.next_input, state.cache), state.decoded, ())
        if token == model.config.eos_id:
            return
        if token >= model.config.speech_token_size:
            raise EngineError("The model said an id that is neither speech nor its end.")
        state.decoded.append(token)
        yield token
        state.next_input = model.speech([token])
