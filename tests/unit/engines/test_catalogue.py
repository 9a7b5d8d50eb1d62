"""Engines by name, and what their import does not drag in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthesis.engines.catalogue import ENGINES, UnknownEngine, load_engine


def modules_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return set(finished.stdout.split())


def test_the_catalogue_imports_no_engine() -> None:
    loaded = modules_after("import synthesis.engines.catalogue")
    assert loaded.isdisjoint({"torch", "torchaudio", "django", "redis", "espeakng_loader"})


def test_the_presets_need_no_torch() -> None:
    assert "torch" not in modules_after("import synthesis.engines.embedded.presets")


def test_the_engine_needs_no_django_and_keeps_espeak_out_of_its_process(tmp_path: Path) -> None:
    loaded = modules_after(
        "import pathlib\nfrom synthesis.engines.catalogue import load_engine\n"
        f"load_engine('embedded', cache_dir=pathlib.Path({str(tmp_path)!r}))"
    )
    assert {"torch", "torchaudio"} <= loaded
    assert loaded.isdisjoint({"django", "redis", "espeakng_loader"})


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownEngine, match="embedded"):
        load_engine("gramophone", cache_dir=tmp_path)


def test_every_entry_names_a_module_and_a_function() -> None:
    assert all(path.startswith("synthesis.engines.") and path.count(":") == 1 for path in ENGINES.values())
