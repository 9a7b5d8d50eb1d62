"""Gives the tests a data directory of their own and compiled translations.

A plugin (``-p`` in pyproject.toml), because it must be imported before pytest-django reads the settings,
and a conftest.py is read later.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cosyweb import translations

# A short path: the embedded Redis listens on a unix socket inside.
DATA_DIR = Path(tempfile.mkdtemp(prefix="cosyweb-test-"))

for _name in ("DATABASE_URL", "REDIS_URL"):
    if os.environ.get(f"TEST_{_name}"):
        os.environ[_name] = os.environ[f"TEST_{_name}"]
    else:
        os.environ.pop(_name, None)
for _name in [name for name in os.environ if name.startswith("COSYWEB_") and name != "COSYWEB_GOLDEN_DIR"]:
    del os.environ[_name]
os.environ["COSYWEB_DATA_DIR"] = str(DATA_DIR)
# Several tests run at the same time: threads of torch that wait for each other sleep.
os.environ["GOMP_SPINCOUNT"] = "0"

translations.compile_stale([Path(__file__).resolve().parent.parent / "locale"])
