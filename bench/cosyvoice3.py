"""How fast the CosyVoice 3 engine is, beside the same model computed the plain way (plain_cosyvoice3.py).

    python -m bench.cosyvoice3 [--threads N] [--seconds 4 10] [--arms plain float32 int8 …] [--out FILE]

Full-size weights, drawn on the spot from the released shapes; so nothing here says anything about how good it sounds.
Every arm speaks as many tokens as the audio has, after a prompt of three seconds, by turns in one run: the language
model, the flow and the vocoder each by itself, and then a stream of the longest case. The front end is left out: its
two models are not drawn. Distances: reduced precision against float32 for the same input.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from bench.machine import machine
from bench.plain_cosyvoice3 import PlainFlow, PlainLlm, PlainSampler
from synthesis.engines.cosyvoice3 import llm
from synthesis.engines.cosyvoice3.config import LlmConfig
from synthesis.engines.cosyvoice3.decoder import MAX_HOP_CHUNKS, Decoder, SpeechStream, as_tensor
from synthesis.engines.cosyvoice3.flow import LOOK_AHEAD, FlowConfig, FlowPrompt, FlowStream
from synthesis.engines.cosyvoice3.flow_weights import flow_shapes, load_flow
from synthesis.engines.cosyvoice3.linears import PRECISIONS, Precision
from synthesis.engines.cosyvoice3.llm_weights import assembled, published_shapes
from synthesis.engines.cosyvoice3.loading import suit
from synthesis.engines.cosyvoice3.sampling import RepetitionAware
from synthesis.engines.cosyvoice3.vocoder import Vocoder
from synthesis.engines.cosyvoice3.vocoder_layers import VocoderConfig
from synthesis.engines.cosyvoice3.vocoder_weights import load_vocoder, vocoder_shapes

DEFAULT_OUT = Path(__file__).parent / "results" / "cosyvoice3.json"
LIBRARIES = ("torch", "numpy")
SAMPLE_RATE_HZ = 24_000
TOKENS_PER_S = 25
PROMPT_TOKENS = 75
PROMPT_TEXT, TEXT_PER_S = 20, 4
"""Text ids: a sentence of three seconds with its system prompt; what is said in a second."""
DISTANCE_S = 4.0
PLAIN, EXACT = "plain", "float32"

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Drawn:
    """The published tensors of a full-size model, at random."""

    llm: Weights
    flow: Weights
    vocoder: Weights


@dataclass(frozen=True)
class Case:
    """What is said: how many tokens, after which prompt."""

    tokens: int
    prompt: llm.Prompt
    voice: FlowPrompt

    @property
    def options(self) -> llm.DecodeOptions:
        """Exactly so many tokens, whatever a random model would like."""
        each = (self.tokens + 0.5) / len(self.prompt.text)
        return llm.DecodeOptions(each, each, keep_least=True)


class Arm(Protocol):
    """One way to compute it."""

    def tokens(self, case: Case) -> Iterator[int]: ...

    def scores(self, case: Case, said: list[int]) -> Iterator[Tensor]:
        """Log-probabilities of what follows ``said``, which grows from one to the next."""
        ...

    def mel(self, tokens: Tensor, case: Case) -> Tensor: ...

    def hear(self, case: Case) -> None:
        """What is done once for all segments in a voice."""

    def stream(self, case: Case) -> Iterator[Tensor]:
        """Samples, chunk by chunk."""
        ...


def draw() -> Drawn:
    generator = torch.Generator().manual_seed(1986)

    def one(shape: tuple[int, ...]) -> Tensor:
        inputs = torch.Size(shape[1:]).numel() if len(shape) > 1 else 1
        tensor = torch.empty(shape).uniform_(-1, 1, generator=generator)
        # As far apart as training leaves them: products keep the size of what goes in.
        return tensor.mul_((3 / inputs) ** 0.5) if len(shape) > 1 else tensor.mul_(0.1).add_(norm_or_bias(shape))

    def norm_or_bias(shape: tuple[int, ...]) -> float:
        return 1.0 if shape == (LlmConfig().backbone.hidden_size,) else 0.0

    def all_of(shapes: Mapping[str, tuple[int, ...]]) -> Weights:
        return {name: one(shape) for name, shape in shapes.items()}

    return Drawn(
        all_of(published_shapes(LlmConfig())),
        all_of(flow_shapes(FlowConfig())),
        all_of(vocoder_shapes(VocoderConfig())),
    )


class PlainArm:
    def __init__(self, drawn: Drawn, vocoder: Vocoder) -> None:
        self.llm = PlainLlm(drawn.llm, LlmConfig())
        self.flow = PlainFlow(drawn.flow, load_flow(FlowConfig(), drawn.flow))
        self.vocoder = vocoder

    @torch.inference_mode()
    def tokens(self, case: Case) -> Iterator[int]:
        sample, decoded = PlainSampler(1), list[int]()
        for log_probs in self.scores(case, decoded):
            log_probs[self.llm.config.speech_token_size :] = float("-inf")
            decoded.append(sample(log_probs, decoded))
            yield decoded[-1]
            if len(decoded) == case.tokens:
                return

    @torch.inference_mode()
    def scores(self, case: Case, said: list[int]) -> Iterator[Tensor]:
        model, config, prompt = self.llm, self.llm.config, case.prompt
        words = model.text(torch.cat([prompt.prompt_text, prompt.text]))
        speech = model.speech(prompt.prompt_speech)
        x = torch.cat([model.speech([config.sos_id]), words, model.speech([config.task_id]), speech])
        cache: list[tuple[Tensor, Tensor]] = []
        while True:
            yield model.next(x, cache)
            x = model.speech(said[-1:])

    @torch.inference_mode()
    def mel(self, tokens: Tensor, case: Case) -> Tensor:
        return self.flow.mel(tokens, case.voice)

    def hear(self, case: Case) -> None:
        """Nothing: each chunk begins with the recording."""

    @torch.inference_mode()
    def stream(self, case: Case) -> Iterator[Tensor]:
        """Every chunk from the first frame on."""
        decoded, end, sent = list[int](), 0, 0
        hop = TOKENS_PER_S
        for token in self.tokens(case):
            decoded.append(token)
            if len(decoded) == end + hop + LOOK_AHEAD:
                mel = self.flow.mel(as_tensor(decoded), case.voice, chunked=True, last=False)
                samples = self.vocoder.speak(mel, last=False)
                yield samples[sent:]
                end, sent, hop = end + hop, len(samples), min(2 * hop, MAX_HOP_CHUNKS * TOKENS_PER_S)
        yield self.vocoder.speak(self.mel(as_tensor(decoded), case))[sent:]


class OurArm:
    def __init__(self, drawn: Drawn, vocoder: Vocoder, precision: Precision) -> None:
        dtype, device = PRECISIONS[precision], torch.device("cpu")
        self.llm = assembled(dict(drawn.llm), LlmConfig(), device, dtype)
        self.flow = load_flow(FlowConfig(), drawn.flow, dtype=dtype)
        suit(self.llm, self.flow, precision)
        self.decoder = Decoder(self.flow, vocoder)
        self.heard: FlowStream | None = None

    def tokens(self, case: Case) -> Iterator[int]:
        sample = RepetitionAware(torch.Generator().manual_seed(1))
        return llm.decode(self.llm, case.prompt, sample, case.options, lambda _done, _total: None, lambda: False)

    def scores(self, case: Case, said: list[int]) -> Iterator[Tensor]:
        x = llm.prefix(self.llm, case.prompt)
        cache = llm.Cache(self.llm, len(x) + case.tokens)
        while True:
            yield self.llm.next(x, cache)
            x = self.llm.speech(said[-1:])

    def mel(self, tokens: Tensor, case: Case) -> Tensor:
        return self.flow.mel(tokens, case.voice)

    def hear(self, case: Case) -> None:
        self.heard = FlowStream(self.flow, case.voice)
        self.heard.solve_prompt()

    def stream(self, case: Case) -> Iterator[Tensor]:
        speech, decoded = SpeechStream(self.decoder, case.voice, solved=self.heard), list[int]()
        for token in self.tokens(case):
            decoded.append(token)
            yield from speech.chunks(decoded, last=False)
        yield from speech.chunks(decoded, last=True)


def measured(arm: Arm, vocoder: Vocoder, case: Case) -> dict[str, float]:
    """Seconds of each stage."""
    began = time.perf_counter()
    tokens = as_tensor(list(arm.tokens(case)))
    said = time.perf_counter()
    mel = arm.mel(tokens, case)
    solved = time.perf_counter()
    samples = vocoder.speak(mel)
    ended = time.perf_counter()
    audio_s = len(samples) / SAMPLE_RATE_HZ
    return {
        "audio_s": audio_s,
        "llm_s": said - began,
        "flow_s": solved - said,
        "vocoder_s": ended - solved,
        "total_s": ended - began,
        "rtf": (ended - began) / audio_s,
    }


def streamed(arm: Arm, case: Case) -> dict[str, float]:
    """Seconds for the recording, then until the first samples and until the last."""
    began = time.perf_counter()
    arm.hear(case)
    heard_s = time.perf_counter() - began
    began = time.perf_counter()
    first_s, samples = 0.0, 0
    for chunk in arm.stream(case):
        first_s = first_s or time.perf_counter() - began
        samples += len(chunk)
    total_s = time.perf_counter() - began
    return {
        "audio_s": samples / SAMPLE_RATE_HZ,
        "recording_s": heard_s,
        "first_audio_s": first_s,
        "total_s": total_s,
    }


def case_of(seconds: float) -> Case:
    generator = torch.Generator().manual_seed(7)

    def ids(count: int, most: int) -> Tensor:
        return torch.randint(most, (count,), generator=generator)

    config = LlmConfig()
    prompt_text = torch.cat([ids(PROMPT_TEXT, config.endofprompt_id), torch.tensor([config.endofprompt_id])])
    speech = ids(PROMPT_TOKENS, config.speech_token_size)
    text = ids(round(seconds * TEXT_PER_S), config.endofprompt_id)
    mel = torch.randn(2 * PROMPT_TOKENS, 80, generator=generator)
    voice = FlowPrompt(speech, mel, torch.randn(FlowConfig().speaker_channels, generator=generator))
    return Case(round(seconds * TOKENS_PER_S), llm.Prompt(text, prompt_text, speech), voice)


def distance(reduced: Arm, exact: Arm, case: Case) -> dict[str, float]:
    """Of ``reduced`` from ``exact``: of the mel for the same tokens, and of what is said after the same words."""
    tokens = as_tensor(list(exact.tokens(case)))
    theirs, ours = exact.mel(tokens, case), reduced.mel(tokens, case)
    equal, moved, said = 0, 0.0, list[int]()
    both = zip(tokens.tolist(), exact.scores(case, said), reduced.scores(case, said), strict=False)
    for token, one, other in both:
        equal += int(one.argmax() == other.argmax())
        moved += float((one.exp() - other.exp()).abs().sum() / 2)
        said.append(token)
    return {
        "mel_rms_relative": float((theirs - ours).square().mean().sqrt() / theirs.square().mean().sqrt()),
        "likeliest_token_equal": equal / len(tokens),
        "probability_moved": moved / len(tokens),
    }


def rounded(value: Any) -> Any:
    """Three figures."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return float(f"{value:.3g}") if isinstance(value, float) else value


def arms(names: list[str], drawn: Drawn, vocoder: Vocoder) -> dict[str, Arm]:
    return {
        name: PlainArm(drawn, vocoder) if name == PLAIN else OurArm(drawn, vocoder, cast(Precision, name))
        for name in names
    }


def times(plain: dict[str, float], ours: dict[str, float]) -> dict[str, float]:
    """How many times faster, stage by stage."""
    return {
        name.removesuffix("_s"): plain[name] / ours[name]
        for name in plain
        if name not in {"audio_s", "recording_s", "rtf"}
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, nargs="+", default=[4.0, 10.0])
    parser.add_argument("--arms", nargs="+", choices=[PLAIN, *PRECISIONS], default=[PLAIN, EXACT, "int8"])
    parser.add_argument("--no-stream", action="store_true")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    drawn = draw()
    vocoder = load_vocoder(VocoderConfig(), drawn.vocoder)
    those = arms(arguments.arms, drawn, vocoder)
    measured(those[arguments.arms[-1]], vocoder, case_of(0.4))  # warms up
    result: dict[str, Any] = {"machine": machine(LIBRARIES), "threads": arguments.threads}
    for seconds in arguments.seconds:
        case = case_of(seconds)
        result[f"{seconds:g} s"] = beside_plain({name: measured(arm, vocoder, case) for name, arm in those.items()})
    if not arguments.no_stream:
        case = case_of(max(arguments.seconds))
        result["streamed"] = beside_plain({name: streamed(arm, case) for name, arm in those.items()})
    if EXACT in those:
        case, exact = case_of(DISTANCE_S), those[EXACT]
        others = {name: arm for name, arm in those.items() if name != EXACT}
        result[f"distance from {EXACT}"] = {name: distance(arm, exact, case) for name, arm in others.items()}
    text = json.dumps(rounded(result), indent=2)
    print(text)
    arguments.out.write_text(text + "\n")


def beside_plain(figures: dict[str, dict[str, float]]) -> dict[str, Any]:
    """With how many times faster each is than the plain one."""
    faster = {name: times(figures[PLAIN], one) for name, one in figures.items() if PLAIN in figures and name != PLAIN}
    return {**figures, "times faster than plain": faster}


if __name__ == "__main__":
    main()
