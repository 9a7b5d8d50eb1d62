"""What decides this engine's samples, beside the recipe."""

from functools import lru_cache
from importlib.metadata import version as installed
from pathlib import Path

from synthesis.engines.base import Fingerprint
from synthesis.engines.code_version import hash_of_files
from synthesis.engines.embedded import espeak

FOLDER = Path(__file__).parent
LIBRARIES = ("torch", "torchaudio", "numpy", "espeakng-loader")


@lru_cache(maxsize=1)
def code_version() -> str:
    return hash_of_files(FOLDER, "*.py")


@lru_cache(maxsize=1)
def fingerprint() -> Fingerprint:
    libraries = {name: installed(name) for name in LIBRARIES}
    return Fingerprint(
        engine="embedded",
        version=code_version(),
        weights="none",
        device="cpu",
        precision="float32",
        libraries={**libraries, "espeak-ng": espeak.version()},
    )
