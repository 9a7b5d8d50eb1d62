"""The environment variables cosyweb knows, read here and nowhere else."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

ENGINES = ("embedded", "cosyvoice3")
PRECISIONS = ("float32", "bfloat16", "float16", "int8")
_DEVICE = re.compile(r"(cpu|cuda(:\d+)?)?")


@dataclass(frozen=True, slots=True)
class Environment:
    """What the operator chose; docs/configuration.md describes each variable."""

    host: str
    port: int
    data_dir: Path
    admin_password: str
    workers: int
    worker_max_growth_mb: int
    unload_after_s: int
    max_queued_per_user: int
    max_running_per_user: int
    stall_s: int
    engine: str
    model_dir: str
    engine_choices: Mapping[str, Any]
    """By the name that the engine's loader gives them."""
    database_url: str
    redis_url: str
    allowed_hosts: tuple[str, ...]
    origins: tuple[str, ...]
    behind_https: bool
    debug: bool
    golden_dir: str


def read(source: Mapping[str, str], checkout: Path) -> Environment:
    """Read and check all variables; raises ImproperlyConfigured naming the one that is wrong."""
    engine = _one_of(source, "COSYWEB_ENGINE", ENGINES)
    workers = _integer(source, "COSYWEB_WORKERS", 1, 1, 64)
    return Environment(
        host=source.get("COSYWEB_HOST", "127.0.0.1"),
        port=_integer(source, "COSYWEB_PORT", 8000, 1, 65535),
        data_dir=Path(source.get("COSYWEB_DATA_DIR") or checkout / "var").expanduser().resolve(),
        admin_password=source.get("COSYWEB_ADMIN_PASSWORD", ""),
        workers=workers,
        worker_max_growth_mb=_integer(source, "COSYWEB_WORKER_MAX_GROWTH_MB", 1024, 0, 1_000_000),
        unload_after_s=_integer(source, "COSYWEB_UNLOAD_AFTER_S", 0, 0, 7 * 24 * 3600),
        max_queued_per_user=_integer(source, "COSYWEB_MAX_QUEUED_PER_USER", 200, 1, 100_000),
        max_running_per_user=_integer(source, "COSYWEB_MAX_RUNNING_PER_USER", 0, 0, 64),
        stall_s=_integer(source, "COSYWEB_STALL_S", 120, 5, 24 * 3600),
        engine=engine,
        model_dir=source.get("COSYVOICE_MODEL_DIR", ""),
        engine_choices=_cosyvoice3(source, workers) if engine == "cosyvoice3" else {},
        database_url=source.get("DATABASE_URL", ""),
        redis_url=source.get("REDIS_URL", ""),
        allowed_hosts=_words(source, "COSYWEB_ALLOWED_HOSTS"),
        origins=_words(source, "COSYWEB_ORIGINS"),
        behind_https=_boolean(source, "COSYWEB_HTTPS"),
        debug=_boolean(source, "COSYWEB_DEBUG"),
        golden_dir=source.get("COSYWEB_GOLDEN_DIR", ""),
    )


def secret(path: Path, length: int = 50) -> str:
    """The secret kept in ``path`` (mode 600), drawn at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(length))
        try:
            os.link(fresh, path)  # fails if another process was first: its secret is the one
        except FileExistsError:
            return path.read_text().strip()
        finally:
            fresh.unlink()
    return path.read_text().strip()


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cosyvoice3(source: Mapping[str, str], workers: int) -> dict[str, Any]:
    device = source.get("COSYVOICE_DEVICE", "")
    if not _DEVICE.fullmatch(device):
        raise ImproperlyConfigured(f"COSYVOICE_DEVICE is {device!r}; it must be cpu, cuda or cuda:1, say.")
    return {
        "device": device,
        "precision": _one_of(source, "COSYVOICE_PRECISION", PRECISIONS),
        # More threads than cores wait for each other: each worker has its share.
        "threads": _integer(source, "COSYVOICE_THREADS", max(1, cores() // workers), 1, 256),
        "rows": _integer(source, "COSYVOICE_ROWS", 1, 1, 64),
        "streaming": _boolean(source, "COSYVOICE_STREAMING"),
        "full_last_chunk": _boolean(source, "COSYVOICE_FULL_LAST_CHUNK", otherwise=True),
        "keep_least": _boolean(source, "COSYVOICE_KEEP_LEAST"),
        "normalise_cross_lingual": _boolean(source, "COSYVOICE_NORMALISE_CROSS_LINGUAL"),
    }


def _one_of(source: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The first choice is the default."""
    value = source.get(name) or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")
    return value


def _integer(source: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = source.get(name) or str(default)
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {raw!r}; it must be a whole number.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} is {value}; it must be from {low} to {high}.")
    return value


def _boolean(source: Mapping[str, str], name: str, *, otherwise: bool = False) -> bool:
    raw = source.get(name, "").strip().lower()
    if not raw:
        return otherwise
    if raw in {"0", "no", "false", "off"}:
        return False
    if raw in {"1", "yes", "true", "on"}:
        return True
    raise ImproperlyConfigured(f"{name} is {raw!r}; it must be 1 or 0.")


def _words(source: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in source.get(name, "").split(",") if word.strip())
