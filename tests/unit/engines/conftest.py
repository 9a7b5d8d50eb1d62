from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from synthesis.engines.base import Engine
from synthesis.engines.catalogue import load_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One loaded engine for a file's tests; the thread count it sets is put back."""
    threads = torch.get_num_threads()
    yield load_engine("embedded", cache_dir=Path(tmp_path_factory.mktemp("features")))
    torch.set_num_threads(threads)
