"""Strict loading: a state dict that fits to the last name and shape, or one sentence that says what is wrong."""

import errno
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synthesis.engines.base import OutOfMemory, WeightsUnusable

Shapes = Mapping[str, tuple[int, ...]]

NAMED = 3
"""Names of each kind of misfit in the sentence; the rest are counted."""
BLOCK_BYTES = 1 << 20


def read_state(path: Path, shapes: Shapes, *, unused: Iterable[str] = (), drop: str = "") -> dict[str, Tensor]:
    """The tensors that ``shapes`` names, in float32 on the processor.

    ``unused`` names may be there and are not returned. Every occurrence of ``drop`` is taken out of the file's names
    first. Nothing but tensors is unpickled. Raises WeightsUnusable naming the file, OutOfMemory.
    """
    state = {name.replace(drop, "") if drop else name: value for name, value in unpickled(path).items()}
    for name in unused:
        state.pop(name, None)
    problems = misfits(state, shapes)
    if problems:
        raise WeightsUnusable(f"{path.name} does not fit this model: {'; '.join(problems)}.")
    # A sum needs no memory of its own, and one value that is no number spoils it.
    broken = [name for name, value in state.items() if not bool(value.sum(dtype=torch.float64).isfinite())]
    if broken:
        raise WeightsUnusable(f"{path.name} is damaged: {listed(broken)} holds values that are no numbers.")
    return {name: value.to(torch.float32) for name, value in state.items()}


def unpickled(path: Path) -> dict[str, Tensor]:
    """A file of floating-point tensors by name. Raises WeightsUnusable, OutOfMemory."""
    if not path.is_file():
        raise WeightsUnusable(f"{path.name} is missing from the model folder.")
    try:
        compare_checksums(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise OutOfMemory(f"There is not enough memory to load {path.name}.") from error
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise WeightsUnusable(f"{path.name} cannot be read: {error.strerror}.") from error
        # Unpicklers fail in many ways on bytes that were never theirs, EINVAL among them; all of them mean this.
        raise WeightsUnusable(f"{path.name} is damaged, cut short or no file of PyTorch weights.") from error
    return checked(path.name, state)


def compare_checksums(path: Path) -> None:
    """Read the archive through against its own checksums, which ``torch.load`` never looks at (2 GB: a second).

    Raises zipfile.BadZipFile, OSError. A file of the format before archives has none, nor has one saved without.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.CRC:
                with archive.open(member) as content:
                    while content.read(BLOCK_BYTES):
                        pass


def checked(file: str, state: Any) -> dict[str, Tensor]:
    """``state`` if it is a state dict. Raises WeightsUnusable."""
    if not isinstance(state, dict) or not state:
        raise WeightsUnusable(f"{file} holds no weights by name.")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or not value.is_floating_point():
            raise WeightsUnusable(f"{file} is no file of model weights: {name!r} is not a tensor of real numbers.")
    return state


def misfits(state: Mapping[str, Tensor], shapes: Shapes) -> list[str]:
    """What keeps ``state`` from fitting, a phrase for each kind; empty if it fits."""
    missing = [name for name in shapes if name not in state]
    unexpected = [name for name in state if name not in shapes]
    wrong = [
        f"{name} is {shown(state[name].shape)} instead of {shown(shape)}"
        for name, shape in shapes.items()
        if name in state and tuple(state[name].shape) != tuple(shape)
    ]
    phrases = (("missing: ", missing), ("unexpected: ", unexpected), ("wrong shape: ", wrong))
    return [start + listed(names) for start, names in phrases if names]


def listed(names: list[str]) -> str:
    """The first names, and how many there are beside them."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def shown(shape: Iterable[int]) -> str:
    return "×".join(str(size) for size in shape) or "a single number"
