"""Vocal tracts of other lengths."""

import torch
from torch import Tensor

from synthesis.engines.embedded.grid import BINS

BEND = 0.8
"""Share of the axis that is scaled; above, a straight line leads back to the end."""


def warped(envelope: Tensor, tract: float) -> Tensor:
    """``envelope`` (T, BINS) for a tract ``tract`` times as long: its shape at f moves to f / tract.

    Piecewise linear, as in L. Lee and R. Rose, "A frequency warping approach to speaker normalization",
    IEEE TSAP 6(1), 1998.
    """
    bend = BEND * (BINS - 1) * min(1.0, tract)
    corner = bend / tract
    bins = torch.arange(BINS, dtype=torch.float32)
    upper = bend + (bins - corner) * ((BINS - 1 - bend) / (BINS - 1 - corner))
    at = torch.where(bins <= corner, bins * tract, upper).clamp(0, BINS - 1)
    left = at.floor().to(torch.int64).clamp_max(BINS - 2)
    share = at - left
    return envelope[:, left] * (1.0 - share) + envelope[:, left + 1] * share
