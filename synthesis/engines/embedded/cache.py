"""Profiles of reference voices, kept in memory and on disk."""

import logging
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synthesis.engines.embedded.profile import Profile, Statistics
from synthesis.engines.whole_file import write_whole

logger = logging.getLogger(__name__)

KEPT_IN_MEMORY = 16
TENSORS = ("aperiodicity", "frames", "frames_voiced")


class ProfileCache:
    """Profiles by voice key. A file that cannot be read counts as absent.

    ``version`` is part of the file's name, so code that measures differently never meets old measurements.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version[:16]
        self._memory: OrderedDict[str, Profile] = OrderedDict()

    def get(self, key: str) -> Profile | None:
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        try:
            values = torch.load(self._path(key), map_location="cpu", weights_only=True)
            profile = unpacked(values)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the answer is to measure again
            logger.warning("A cached voice profile is damaged and is measured again: %s", type(error).__name__)
            return None
        self._remember(key, profile)
        return profile

    def put(self, key: str, profile: Profile) -> None:
        """Keep ``profile``; a disk that refuses costs a warning, not the job."""
        self._remember(key, profile)
        try:
            write_whole(self._path(key), packed(profile))
        except OSError as error:
            logger.warning("A voice profile could not be cached: %s", error.strerror)

    def clear(self) -> None:
        """Forget what is in memory; the files stay."""
        self._memory.clear()

    def _remember(self, key: str, profile: Profile) -> None:
        self._memory[key] = profile
        self._memory.move_to_end(key)
        while len(self._memory) > KEPT_IN_MEMORY:
            self._memory.popitem(last=False)

    def _path(self, key: str) -> Path:
        if not re.fullmatch(r"[0-9A-Za-z_-]{1,128}", key):
            raise ValueError(f"{key!r} is no voice key")
        return self._folder / f"{key}.{self._version}.pt"


def packed(profile: Profile) -> dict[str, Any]:
    """The profile as plain numbers and tensors."""
    return {
        "pitch_hz": profile.pitch_hz,
        "spread_semitones": profile.spread_semitones,
        "voiced": (profile.voiced.mean, profile.voiced.deviation),
        "unvoiced": (profile.unvoiced.mean, profile.unvoiced.deviation),
        **{name: getattr(profile, name) for name in TENSORS},
    }


def unpacked(values: dict[str, Any]) -> Profile:
    """The opposite of ``packed``. Raises KeyError, TypeError or ValueError for anything else."""
    tensors: dict[str, Tensor] = {name: values[name] for name in TENSORS}
    if not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise TypeError("not a profile")
    return Profile(
        pitch_hz=float(values["pitch_hz"]),
        spread_semitones=float(values["spread_semitones"]),
        voiced=Statistics(*values["voiced"]),
        unvoiced=Statistics(*values["unvoiced"]),
        **tensors,
    )
