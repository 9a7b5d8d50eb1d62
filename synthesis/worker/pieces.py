"""One segment's audio, as a whole or in pieces of its text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from synthesis.engines.base import Engine, Report, Samples, SegmentRequest, ShouldStop
from synthesis.jobs.recipe import PAUSE_BETWEEN_PIECES_S
from synthesis.jobs.seeds import piece_seed
from synthesis.vocabulary import Stage


def speak(
    engine: Engine,
    request: SegmentRequest,
    texts: Sequence[str],
    report: Report,
    should_stop: ShouldStop,
    heard: Callable[[Samples], None],
) -> Samples:
    """Audio of ``request``, shape (N,). Several ``texts`` take the place of its own, each with a seed derived from its.

    ``heard`` gets it chunk by chunk as it comes. Deterministic: same request and texts, same samples. Raises what the
    engine raises.
    """
    parts: list[Samples] = []

    def add(samples: Samples) -> None:
        parts.append(samples)
        heard(samples)

    for index, text in enumerate(texts):
        piece, progress = request, report
        if len(texts) > 1:
            piece = dataclasses.replace(request, text=text, seed=piece_seed(request.seed, index))
            progress = _share(report, index, len(texts))
        if index:
            add(np.zeros(round(PAUSE_BETWEEN_PIECES_S * engine.sample_rate_hz), np.float32))
        for chunk in engine.synthesize(piece, progress, should_stop):
            add(chunk.samples)
    return np.concatenate(parts)


def _share(report: Report, index: int, count: int) -> Report:
    """Progress of one piece as a share of the whole segment's."""

    def shared(stage: Stage, done: float, total: float) -> None:
        report(stage, index + (done / total if total > 0 else 0.0), count)

    return shared
