"""The embedded engine as one that needs a file of weights: to see what a worker does when the file is bad."""

from __future__ import annotations

from pathlib import Path

from synthesis.engines.base import WeightsUnusable
from synthesis.engines.embedded.engine import EmbeddedEngine
from synthesis.engines.embedded.engine import load as load_embedded

FILE = "voice.weights"
GOOD = "good"


def load(*, cache_dir: Path, model_dir: Path | None = None) -> EmbeddedEngine:
    """Raises WeightsUnusable."""
    path = Path(model_dir or ".") / FILE
    if not path.exists():
        raise WeightsUnusable(f"{path} is missing.")
    if path.read_text() != GOOD:
        raise WeightsUnusable(f"{path} is damaged.")
    return load_embedded(cache_dir=cache_dir, model_dir=model_dir)
