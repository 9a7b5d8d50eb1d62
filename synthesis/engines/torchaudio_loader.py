"""Imports torchaudio where its compiled extension does not fit the installed torch.

The wheel's optional extension is linked to CUDA; with a CPU build of torch the plain import raises OSError.
Nothing the engines use needs that extension, so in that case alone it is declared absent. Files stay as they are.
"""

import importlib
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from types import ModuleType
from typing import Any

EXTENSION = "torchaudio._extension"


@lru_cache(maxsize=1)
def load_torchaudio() -> Any:
    """The torchaudio package, with ``functional`` and ``transforms`` imported.

    Raises ImportError or OSError if it is missing or broken in any other way.
    """
    try:
        importlib.import_module("torchaudio")
    except OSError as error:
        if "torchaudio" not in str(error):
            raise
        forget_half_import()
        sys.modules[EXTENSION] = absent_extension()
        importlib.import_module("torchaudio")
    importlib.import_module("torchaudio.transforms")
    return importlib.import_module("torchaudio")


def forget_half_import() -> None:
    """Drop what the failed import left, so that the next import starts anew."""
    for name in [name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")]:
        del sys.modules[name]


def absent_extension() -> ModuleType:
    """A stand-in that says what torchaudio's own module says on a build without the extension."""

    def fail_if_no_align(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def refuse(*_: Any, **__: Any) -> None:
            raise RuntimeError(f"torchaudio cannot do {function.__name__}: its compiled extension does not fit torch.")

        return refuse

    module = ModuleType(EXTENSION)
    vars(module).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _IS_RIR_AVAILABLE=False,
        fail_if_no_align=fail_if_no_align,
        lazy_import_sox_ext=None,
    )
    return module
