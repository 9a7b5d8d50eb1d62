"""One segment's audio, as a whole or in pieces of its text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from synthesis.engines.base import Engine, Report, Samples, SegmentRequest, ShouldStop
from synthesis.jobs.recipe import PAUSE_BETWEEN_PIECES_S
from synthesis.jobs.seeds import piece_seed
from synthesis.vocabulary import Stage


def speak(
    engine: Engine, request: SegmentRequest, texts: Sequence[str], report: Report, should_stop: ShouldStop
) -> Samples:
    """Audio of ``request``, shape (N,). Several ``texts`` take the place of its own, each with a seed derived from its.

    Deterministic: same request and texts, same samples. Raises what the engine raises.
    """
    if len(texts) == 1:
        return _spoken(engine, request, report, should_stop)
    pause = np.zeros(round(PAUSE_BETWEEN_PIECES_S * engine.sample_rate_hz), np.float32)
    parts: list[Samples] = []
    for index, text in enumerate(texts):
        piece = dataclasses.replace(request, text=text, seed=piece_seed(request.seed, index))
        if parts:
            parts.append(pause)
        parts.append(_spoken(engine, piece, _share(report, index, len(texts)), should_stop))
    return np.concatenate(parts)


def _spoken(engine: Engine, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Samples:
    return np.concatenate([chunk.samples for chunk in engine.synthesize(request, report, should_stop)])


def _share(report: Report, index: int, count: int) -> Report:
    """Progress of one piece as a share of the whole segment's."""

    def shared(stage: Stage, done: float, total: float) -> None:
        report(stage, index + (done / total if total > 0 else 0.0), count)

    return shared
