"""What decides this engine's samples, beside the recipe."""

import hashlib
from functools import lru_cache
from importlib.metadata import version as installed
from pathlib import Path

from synthesis.engines.base import Fingerprint
from synthesis.engines.embedded import espeak

FOLDER = Path(__file__).parent
LIBRARIES = ("torch", "torchaudio", "numpy", "espeakng-loader")


@lru_cache(maxsize=1)
def code_version() -> str:
    """SHA-256 over the names and contents of this folder's source files; line ends do not count."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


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
