"""How eSpeak's spectrum is moved to a voice's: an affine map of the mel cepstrum per language and voicing.

eSpeak's formants are much sharper than people's and its slow spectral movement is smaller: its mel cepstrum varies
too much in the high coefficients and too little in the low ones. Matching the spread of every coefficient, within
bounds, takes the buzz away. The mean gives the colour: voiced frames are first moved to where people's lie beside
their unvoiced ones, then all frames alike by what sets this voice apart. Moving both kinds of frames alike is what
keeps a reference with few sounds from blurring the words.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from synthesis.engines.embedded.grid import MELS, bins_to_mels, cosines, mels_to_bins
from synthesis.engines.embedded.profile import Profile, Statistics, statistics
from synthesis.engines.embedded.warp import warped

LIKENESS = 0.8
"""Share of the way from people's mean colour to the reference's."""
NATURALNESS = 0.7
"""Share of people in general, not of the reference, in the spread aimed at: a short recording tells spreads badly."""
LEAST_RATIO, MOST_RATIO = 0.4, 1.6
NATURAL_DEVIATION = torch.tensor(
    (20.0, 10.0, 9.2, 7.2, 5.3, 5.2, 4.2, 3.1, 3.4, 2.8, 2.2, 2.2, 2.2, 2.0, 1.9, 1.8, 1.7, 1.5, 1.4, 1.3)
)
"""Rounded standard deviations of people's mel cepstra in voiced frames; coefficients after the last fall as 1/k."""
NATURAL_SHIFT = torch.tensor(
    (0.0, 0.0, 1.2, -5.0, -4.0, 3.0, 4.0, -6.0, 3.5, 0.8, -5.0, 2.8, -4.0, 0.5, -0.5, 0.3, -2.2)
)
"""Where people's mean lies from eSpeak's in voiced frames."""


@dataclass(frozen=True, slots=True)
class ColourMap:
    """``cepstrum * gain + offset``, each (MELS,), for voiced and for unvoiced frames."""

    voiced_gain: Tensor
    voiced_offset: Tensor
    unvoiced_gain: Tensor
    unvoiced_offset: Tensor


def colour_map(source: Profile, tract: float, goal: Profile | None, tint: Tensor) -> ColourMap:
    """The map from eSpeak (``source``, warped to ``tract``) to ``goal``, or to people in general.

    ``tint`` (MELS,) is added to the mel cepstrum of every frame.
    """
    mel = warped(source.frames @ mels_to_bins(), tract) @ bins_to_mels()
    cepstrum = mel @ cosines()
    voiced = statistics(cepstrum[source.frames_voiced])
    unvoiced = statistics(cepstrum[~source.frames_voiced])
    people = natural(voiced)
    to_people = people.mean - voiced.mean
    if goal is None:
        return ColourMap(
            *affine(voiced, people.deviation, to_people + tint), *affine(unvoiced, unvoiced.deviation, tint)
        )
    own = LIKENESS * (goal.voiced.mean - people.mean) + tint
    return ColourMap(
        *affine(voiced, blended(people, goal.voiced), to_people + own),
        *affine(unvoiced, blended(unvoiced, goal.unvoiced), own),
    )


def natural(source: Statistics) -> Statistics:
    """What people's voiced frames would be with the source's tract."""
    order = torch.arange(1, MELS + 1, dtype=torch.float32)
    deviation = NATURAL_DEVIATION[-1] * NATURAL_DEVIATION.numel() / order
    deviation[: NATURAL_DEVIATION.numel()] = NATURAL_DEVIATION
    shift = torch.zeros(MELS)
    shift[: NATURAL_SHIFT.numel()] = NATURAL_SHIFT
    return Statistics(source.mean + shift, deviation)


def blended(people: Statistics, reference: Statistics) -> Tensor:
    """The spread (MELS,) aimed at for a reference."""
    return NATURALNESS * people.deviation + (1.0 - NATURALNESS) * reference.deviation


def affine(source: Statistics, deviation: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset, both (MELS,), that give ``source`` that deviation and shift; loudness stays the source's."""
    gain = (deviation / source.deviation).clamp(LEAST_RATIO, MOST_RATIO)
    offset = source.mean * (1.0 - gain) + shift
    gain[0], offset[0] = 1.0, 0.0
    return gain, offset


def recoloured(cepstrum: Tensor, voiced: Tensor, colours: ColourMap) -> Tensor:
    """Mel ``cepstrum`` (T, MELS) after the map; ``voiced`` (T,) bool."""
    return torch.where(
        voiced[:, None],
        cepstrum * colours.voiced_gain + colours.voiced_offset,
        cepstrum * colours.unvoiced_gain + colours.unvoiced_offset,
    )
