"""Every engine by name. Importing this file imports no engine: each is named by a dotted path."""

import importlib
from pathlib import Path
from typing import Any, Protocol, cast

from synthesis.engines.base import Engine


class Loader(Protocol):
    """What an engine's package offers to the catalogue."""

    def __call__(self, *, cache_dir: Path, model_dir: Path | None, **choices: Any) -> Engine: ...


ENGINES: dict[str, str] = {
    "embedded": "synthesis.engines.embedded.engine:load",
    "cosyvoice3": "synthesis.engines.cosyvoice3.engine:load_chosen",
}
"""Name to ``module:function``. A new engine is one folder and one line here."""


class UnknownEngine(ValueError):
    """No engine has that name."""


def load_engine(name: str, *, cache_dir: Path, model_dir: Path | None = None, **choices: Any) -> Engine:
    """Load the engine ``name``, ready to work. Takes seconds; the caller keeps it.

    ``cache_dir`` holds what the engine may lose; ``model_dir`` is where its weights lie, if it has any;
    ``choices`` are those that this engine offers.
    Raises UnknownEngine, WeightsUnusable.
    """
    try:
        module, function = ENGINES[name].split(":")
    except KeyError:
        raise UnknownEngine(f"There is no engine {name!r}; there are: {', '.join(sorted(ENGINES))}.") from None
    loader = cast(Loader, getattr(importlib.import_module(module), function))
    return loader(cache_dir=Path(cache_dir), model_dir=model_dir, **choices)
