"""From whatever an engine, a library or the machine raised to the code that names a hint.

Pure, and it imports no library to compare classes with: a class is known by its name and the module it comes from,
so that a worker without torch, PostgreSQL or a graphics card has nothing to load.
"""

from __future__ import annotations

import errno
import re
import subprocess
from collections.abc import Iterator

from synthesis.engines.base import EngineError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MODEL_FILE = re.compile(r"\.(safetensors|ckpt|pth?|bin|onnx|gguf)\b", re.IGNORECASE)

_MESSAGES = (
    # A full disk first: SQLite says so with the class of a lost database.
    ("storage_full", re.compile(r"No space left on device|Disk quota exceeded|disk is full|disk full", re.IGNORECASE)),
    (
        "out_of_memory",
        re.compile(
            r"out of memory|out-of-memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
            r"|cudaErrorMemoryAllocation|can't allocate memory|cannot allocate memory"
            r"|Unable to allocate .+ for an array|std::bad_alloc",
            re.IGNORECASE,
        ),
    ),
    (
        "weights_unusable",
        re.compile(
            r"PytorchStreamReader failed|Error while deserializing header|InvalidHeaderDeserialization"
            r"|MetadataIncompleteBuffer|invalid load key|unexpected EOF, expected \d+ more bytes"
            r"|unexpected key\(s\) in state_dict"
            r"|missing key\(s\) in state_dict|size mismatch for |in loading state_dict|Protobuf parsing failed"
            r"|failed finding central directory",
            re.IGNORECASE,
        ),
    ),
    (
        "engine_child_killed",
        re.compile(r"died with <Signals|killed by signal|exit(?:ed with)? code -\d|terminated abruptly", re.IGNORECASE),
    ),
)
_SHORT_REFERENCE = re.compile(
    r"too short|Kernel size can't be greater than actual input size|Padding size should be less than"
    r"|greater than .*input size|Expected .* non-?empty|empty tensor",
    re.IGNORECASE,
)
_CLASSES = (
    ("out_of_memory", re.compile(r"(builtins\.MemoryError|torch[\w.]*\.OutOfMemoryError)$")),
    ("weights_unusable", re.compile(r"(\w+\.)*SafetensorError$")),
    (
        "database_lost",
        re.compile(r"(django\.db\.utils|sqlite3|psycopg[\w.]*)\.(OperationalError|InterfaceError)$"),
    ),
    ("redis_lost", re.compile(r"redis[\w.]*\.(ConnectionError|TimeoutError|BusyLoadingError|ReadOnlyError)$")),
    ("engine_child_killed", re.compile(r"concurrent\.futures[\w.]*\.BrokenProcessPool$")),
)


def code_of(problem: BaseException, *, extracting: bool = False) -> str:
    """The code of a failure, ``engine_error`` if it is not a known one.

    ``extracting``: it fell in the stage ``extract``, where a model complains of tensors that are too short.
    """
    for one in _causes(problem):
        code = _known(one, extracting=extracting)
        if code:
            return code
    return EngineError.code


def describe(problem: BaseException) -> str:
    """The raw message: an engine's own words, and with the class for all others."""
    if isinstance(problem, EngineError):
        return str(problem)
    words = str(problem).strip()
    return f"{type(problem).__name__}: {words}" if words else type(problem).__name__


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The problem and what it was raised from, the outermost first."""
    seen: set[int] = set()
    one: BaseException | None = problem
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__


def _known(problem: BaseException, *, extracting: bool) -> str:
    if isinstance(problem, EngineError) and problem.code != EngineError.code:
        return problem.code
    if isinstance(problem, OSError) and problem.errno in FULL:
        return "storage_full"
    if isinstance(problem, OSError) and problem.errno == errno.ENOMEM:
        return "out_of_memory"
    if isinstance(problem, FileNotFoundError) and MODEL_FILE.search(str(problem.filename or problem)):
        return "weights_unusable"
    if isinstance(problem, subprocess.CalledProcessError) and problem.returncode < 0:
        return "engine_child_killed"
    return _by_words(problem, extracting=extracting) or _by_class(problem)


def _by_words(problem: BaseException, *, extracting: bool) -> str:
    words = str(problem)
    if extracting and _SHORT_REFERENCE.search(words):
        return "reference_unusable"
    return next((code for code, pattern in _MESSAGES if pattern.search(words)), "")


def _by_class(problem: BaseException) -> str:
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(problem).__mro__]
    return next((code for code, pattern in _CLASSES if any(pattern.match(name) for name in names)), "")
