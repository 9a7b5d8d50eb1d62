"""Where a voice is to go: the profile of a reference recording, or a preset's numbers in the same form."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from synthesis.engines.embedded.borrowing import Lender, lender_of
from synthesis.engines.embedded.calibration import source_profile
from synthesis.engines.embedded.colour import ColourMap, colour_map
from synthesis.engines.embedded.grid import MELS, frequencies_hz
from synthesis.engines.embedded.presets import Preset
from synthesis.engines.embedded.profile import Profile


@dataclass(frozen=True, slots=True)
class Target:
    """What ``prepare`` hands to ``synthesize``."""

    pitch_hz: float
    spread_semitones: float
    tract: float
    """Length of the vocal tract relative to eSpeak's."""
    tilt_db: float
    breath: float
    rate: float
    aperiodicity: Tensor | None
    """(APERIODICITY_BANDS,) of the reference; None for a preset."""
    colours: dict[str, ColourMap]
    """By language."""
    lend_voiced: Lender | None = None
    lend_unvoiced: Lender | None = None


TRACT_BY_PITCH = 0.035
"""Women speak about 0.8 octaves higher than men with tracts some 15 % shorter: ln(0.85) / (0.8 ln 2) is -0.29.
An eighth of that: warped formants of eSpeak are soon misheard, and the colour map brings the rest."""
SHORTEST_TRACT, LONGEST_TRACT = 0.96, 1.02
NEUTRAL_HZ = 115.0


def of_preset(preset: Preset, languages: Iterable[str]) -> Target:
    """The target of a ready-made voice."""
    tint = torch.zeros(MELS)
    tint[1 : 1 + len(preset.tint)] = torch.tensor(preset.tint)
    return Target(
        preset.pitch_hz,
        preset.spread_semitones,
        preset.tract,
        preset.tilt_db,
        preset.breath,
        preset.rate,
        None,
        {language: colour_map(source_profile(language), preset.tract, None, tint) for language in languages},
    )


def of_reference(profile: Profile, languages: Iterable[str]) -> Target:
    """A target that follows a recording."""
    tract = (profile.pitch_hz / NEUTRAL_HZ) ** -TRACT_BY_PITCH
    tract = min(max(tract, SHORTEST_TRACT), LONGEST_TRACT)
    return Target(
        pitch_hz=profile.pitch_hz,
        spread_semitones=profile.spread_semitones,
        tract=tract,
        tilt_db=0.0,
        breath=0.0,
        rate=0.0,
        aperiodicity=profile.aperiodicity,
        colours={
            language: colour_map(source_profile(language), tract, profile, torch.zeros(MELS)) for language in languages
        },
        lend_voiced=lender_of(profile, voiced=True),
        lend_unvoiced=lender_of(profile, voiced=False),
    )


def tilt_curve(db_per_octave: float) -> Tensor:
    """Change of log power per bin, (BINS,), for a slope above 500 Hz that ends at 6 kHz."""
    octaves = torch.log2(frequencies_hz().clamp(500.0, 6000.0) / 500.0)
    return octaves * (db_per_octave * 0.230_258_5)
