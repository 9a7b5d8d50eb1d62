"""What an operator may choose. The defaults speak as released."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from synthesis.engines.cosyvoice3.linears import Precision
from synthesis.engines.cosyvoice3.llm import DecodeOptions


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine works."""

    device: str = ""
    """A torch device; empty: the first CUDA device if there is one, else the processor."""
    precision: Precision = "float32"
    """Of the language model and the flow. ``int8``, for processors: 8-bit integers in the linear layers of both. The
    vocoder is always float32."""
    threads: int = 0
    """Of torch on a processor, and of the two ONNX models; 0: what torch has. Another number rounds otherwise."""
    rows: int = 1
    """Requests of several threads that the language model decodes in one batch. Another number rounds otherwise."""
    streaming: bool = False
    """Speak in chunks while the language model still works. The flow sees less ahead, so the samples are others.
    A request with a speed of its own is never streamed."""
    full_last_chunk: bool = True
    """Streaming: as released, the last chunk sees everything. False: joined chunks equal one chunk-masked run."""
    normalise_cross_lingual: bool = False
    """As released, numbers in cross-lingual text are not written out."""
    decoding: DecodeOptions = field(default_factory=DecodeOptions)


def manner(options: Options) -> Iterator[str]:
    """The precision, and what an operator chose that changes the samples."""
    yield options.precision
    if options.streaming:
        yield "streamed" if options.full_last_chunk else "streamed evenly"
    if options.rows > 1:
        yield f"rows: {options.rows}"
    if options.normalise_cross_lingual:
        yield "cross-lingual normalised"
    if options.decoding.keep_least:
        yield "least length kept"


def use_threads(number: int) -> None:
    """Let torch compute with so many threads when called from this one; OpenMP counts for each caller by itself."""
    if number:
        torch.set_num_threads(number)
