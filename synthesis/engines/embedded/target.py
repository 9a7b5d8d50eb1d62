"""Where a voice is to go: the profile of a reference recording, or a preset's numbers in the same form."""

from dataclasses import dataclass

import torch
from torch import Tensor

from synthesis.engines.embedded.grid import frequencies_hz
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
    profile: Profile | None
    """Of the reference; None for a preset."""


def of_preset(preset: Preset) -> Target:
    return Target(
        preset.pitch_hz,
        preset.spread_semitones,
        preset.tract,
        preset.tilt_db,
        preset.breath,
        preset.rate,
        None,
    )


TRACT_BY_PITCH = 0.18
"""Women speak about 0.8 octaves higher than men with tracts some 15 % shorter: ln(0.85) / (0.8 ln 2) is -0.29;
taken at two thirds, because one voice says little about its tract by its pitch."""
SHORTEST_TRACT, LONGEST_TRACT = 0.86, 1.08
NEUTRAL_HZ = 115.0


def of_reference(profile: Profile) -> Target:
    """A target that follows a recording."""
    tract = (profile.pitch_hz / NEUTRAL_HZ) ** -TRACT_BY_PITCH
    tract = min(max(tract, SHORTEST_TRACT), LONGEST_TRACT)
    return Target(profile.pitch_hz, profile.spread_semitones, tract, 0.0, 0.0, 0.0, profile)


def tilt_curve(db_per_octave: float) -> Tensor:
    """Change of log power per bin, (BINS,), for a slope above 500 Hz that ends at 6 kHz."""
    octaves = torch.log2(frequencies_hz().clamp(500.0, 6000.0) / 500.0)
    return octaves * (db_per_octave * 0.230_258_5)
