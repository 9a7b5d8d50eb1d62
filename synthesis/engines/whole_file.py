"""Writes a cache file that no reader can find half written."""

import os
import tempfile
from pathlib import Path
from typing import Any

import torch


def write_whole(path: Path, values: dict[str, Any]) -> None:
    """Write a file that is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(values, file)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
