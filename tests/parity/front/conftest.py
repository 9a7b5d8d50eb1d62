"""A tiny model directory and a voice for it."""

from pathlib import Path

import pytest

from tests.engines.tiny_cosyvoice3 import write_model


@pytest.fixture(scope="session")
def model_dir(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"), golden)
