"""What a figure was measured on: enough to compare, nothing that names the machine."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("torch", "torchaudio", "numpy", "espeakng-loader", "pocketsphinx", "jiwer")


def machine(libraries: Sequence[str] = LIBRARIES) -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in libraries},
    }


def processor() -> str:
    """The processor's model name where the system tells."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
