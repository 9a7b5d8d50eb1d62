"""Spectral detail borrowed from the reference: each frame leans to the frames of the recording that are most like it.

Nearest neighbours over frames in context, as in M. Baas et al., "Voice conversion with just nearest neighbors",
Interspeech 2023, here over mel cepstra and with a bounded weight.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from synthesis.engines.embedded.features import Progress
from synthesis.engines.embedded.grid import BLOCK_FRAMES, cosines
from synthesis.engines.embedded.profile import Profile

ORDER = 20
CONTEXT = 2
NEIGHBOURS = 4
MOST_WEIGHT = 0.3
"""Share of a borrowed frame at distance 0; it falls with distance, because a bad neighbour is another sound."""
NOTHING_UNDER_FRAMES, ALL_FROM_FRAMES = 900, 1900
"""A recording under 4.5 s lacks many sounds, so its neighbours mislead; from 9.5 s on it may lend fully."""
TRUST = 1.2
"""Distance, in standard deviations a coefficient, at which the weight has fallen to 1/e."""
MOST_FRAMES = 3000


@dataclass(frozen=True, slots=True)
class Lender:
    """Frames to borrow from, of one kind (voiced or not)."""

    keys: Tensor
    """(F, ORDER * (2 CONTEXT + 1)) scaled cepstra in context."""
    cepstra: Tensor
    """(F, MELS)."""
    scale: Tensor
    """(ORDER,) what cepstra are divided by before they are compared."""
    weight: float


def lender_of(profile: Profile, voiced: bool) -> Lender | None:
    """The frames of one kind of a reference; None if there are too few."""
    cepstra = profile.frames @ cosines()
    wanted = (profile.frames_voiced if voiced else ~profile.frames_voiced).nonzero().squeeze(1)[:MOST_FRAMES]
    if len(profile.frames) <= NOTHING_UNDER_FRAMES or wanted.numel() < 10 * NEIGHBOURS:
        return None
    scale = (profile.voiced if voiced else profile.unvoiced).deviation[1 : ORDER + 1]
    weight = MOST_WEIGHT * min(
        1.0, (len(profile.frames) - NOTHING_UNDER_FRAMES) / (ALL_FROM_FRAMES - NOTHING_UNDER_FRAMES)
    )
    return Lender(in_context(cepstra, scale)[wanted], cepstra[wanted], scale, weight)


def in_context(cepstra: Tensor, scale: Tensor) -> Tensor:
    """Scaled coefficients 1 to ORDER of each frame and its neighbours, (T, ORDER * (2 CONTEXT + 1))."""
    low = cepstra[:, 1 : ORDER + 1] / scale
    padded = torch.cat([low[:1].expand(CONTEXT, -1), low, low[-1:].expand(CONTEXT, -1)])
    return padded.unfold(0, 2 * CONTEXT + 1, 1).reshape(low.shape[0], -1)


def borrowed(cepstra: Tensor, kind: Tensor, lender: Lender, progress: Progress) -> Tensor:
    """Change (T, MELS) of those ``cepstra`` (T, MELS) that ``kind`` (T,) marks, towards the lender's nearest frames.

    Loudness is left alone. ``progress`` is called between blocks with 1, for its stop check.
    """
    keys = in_context(cepstra, lender.scale)
    change = torch.zeros_like(cepstra)
    marked = kind.nonzero().squeeze(1)
    for start in range(0, marked.numel(), BLOCK_FRAMES):
        index = marked[start : start + BLOCK_FRAMES]
        near, neighbour = torch.cdist(keys[index], lender.keys).topk(NEIGHBOURS, dim=1, largest=False)
        middle = lender.cepstra[neighbour].mean(1)
        typical = near.mean(1, keepdim=True) / keys.shape[1] ** 0.5
        change[index] = (middle - cepstra[index]) * (lender.weight * torch.exp(-((typical / TRUST) ** 2)))
        progress(1.0)
    change[:, 0] = 0.0
    return change
