"""What every synthesis engine promises, in values and one protocol.

Pure: no Django, no Redis. Configuration arrives as arguments.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthesis.vocabulary import Mode, Stage

Samples = NDArray[np.float32]
"""Mono audio, shape (N,), nominally in [-1, 1]."""


class Report(Protocol):
    """Progress callback. May be called thousands of times a second: the caller throttles."""

    def __call__(self, stage: Stage, done: float, total: float) -> None: ...


ShouldStop = Callable[[], bool]
"""Polled inside the inner loops; true means: raise ``Stopped`` now."""


class Stopped(Exception):
    """The caller asked to stop; nothing is wrong."""


class EngineError(Exception):
    """Something went wrong that ends the job. ``code`` is stable and names a hint."""

    code = "engine_error"


class OutOfMemory(EngineError):
    code = "out_of_memory"


class ReferenceUnusable(EngineError):
    """The reference audio holds no voice the engine can follow."""

    code = "reference_unusable"


class ChildKilled(EngineError):
    """A process that the engine started was killed from outside, by the system for memory more often than not."""

    code = "engine_child_killed"


class TextUnspeakable(EngineError):
    """The text makes no sound in the language it is taken for."""

    code = "text_unspeakable"


class WeightsUnusable(EngineError):
    """A model file is missing, damaged or foreign; the message names it."""

    code = "weights_unusable"


@dataclass(frozen=True, slots=True)
class ReferenceVoice:
    """The voice to speak with.

    ``key`` is the SHA-256 of the voice's canonical file and the key of feature caches.
    ``preset`` names a ready-made voice; an engine that does not know it uses ``samples``.
    """

    key: str
    samples: Samples
    sample_rate_hz: int
    transcript: str = ""
    language: str = ""
    preset: str = ""


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """One segment to speak. ``features`` is what ``prepare`` of the same engine returned."""

    text: str
    language: str
    """``zh`` or ``en``: the language the segment is mainly in."""
    features: Any
    seed: int
    """Of this segment alone, 0 ≤ seed < 2**63; the only source of randomness."""
    instruct: str = ""
    speed: float = 1.0
    """0.5 to 2.0; 2.0 is twice as fast."""
    mode: Mode = Mode.ZERO_SHOT


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of a segment's audio, in order. Joined, the chunks are the segment."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What, beside the recipe, decides the samples."""

    engine: str
    version: str
    """Of the engine's code; changes whenever the samples may change."""
    weights: str
    """Hash of the weights, or ``none``."""
    device: str
    precision: str
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Name to version of the libraries that do the arithmetic."""


class Engine(Protocol):
    """A loaded engine. Immutable while it works; the state of a request lives in its call."""

    name: str
    sample_rate_hz: int
    clones: bool
    """True if it clones a voice; false if it only resembles one (pages say so honestly)."""
    streams: bool
    """True if the chunks of a segment come while it is still being made, worth hearing each by itself."""

    at_once: int
    """Requests that it works on best together, each from a thread of its own; 1: one after the other."""

    def prepare(self, voice: ReferenceVoice, report: Report, should_stop: ShouldStop) -> Any:
        """Features of a reference voice (stage ``extract``), cached by ``voice.key``.

        Raises ReferenceUnusable, Stopped.
        """
        ...

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        """Speak one segment (stages ``acoustic``, then ``vocoder``).

        Same request, same samples: in any process, whatever ran before.
        Raises TextUnspeakable, OutOfMemory, Stopped.
        """
        ...

    def release(self) -> None:
        """Give back memory that is only kept to be faster (caches, freed blocks); the engine stays loaded."""
        ...

    def fingerprint(self) -> Fingerprint: ...

    def device_bytes(self) -> int:
        """Memory it holds on its device (a GPU) beside the process's own; 0 on a processor."""
        ...

    def close(self) -> None:
        """Give back everything it holds; it is not used again. A new one is loaded for the next job."""
        ...
