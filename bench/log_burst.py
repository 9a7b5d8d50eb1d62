"""What a burst of log lines costs the engine that logs them: 10,000 lines a second, half logged, half printed.

    python -m bench.log_burst [--pairs N] [--slice SECONDS] [--rate LINES] [--out FILE]

An engine does slices of the same work (matrix products on one thread), by turns silent and with lines, three times:
with lines that nobody keeps, with lines that the standard library writes to a file, and in a job as a worker performs
it, with database, Redis, log file and events. Figures are medians over the pairs of neighbouring slices, of wall time
and of the engine thread's own processor time; the rest between two slices, while all is written out, does not count.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.machine import machine
from synthesis.vocabulary import Stage

if TYPE_CHECKING:
    from synthesis.engines.base import AudioChunk, Fingerprint, ReferenceVoice, Report, SegmentRequest, ShouldStop

DEFAULT_OUT = Path(__file__).parent / "results" / "log_burst.json"
SIZE = 256
"""Of the square matrices: a product takes some tenths of a millisecond, as a small layer does."""
REST_S = 0.4
library = logging.getLogger("bench.library")


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of work took, and how many lines it said."""

    wall_s: float
    thread_s: float
    said: int


@dataclass(frozen=True, slots=True)
class Load:
    """How many pairs of slices, of how many products each, with how many lines a product."""

    pairs: int
    products: int
    lines: float


Pair = tuple[Slice, Slice]
"""Silent, and with lines."""


def say(number: int) -> None:
    if number % 2:
        print("step", number, "of the decoder: 128 tokens, 3.14 it/s")
    else:
        library.info("step %d of the decoder: %d tokens, %.2f it/s", number, 128, 3.14)


def work(products: int, lines: float, report: Report, should_stop: ShouldStop) -> Slice:
    """So many matrix products, and after each its share of the lines: the same ones however slow the machine is."""
    import torch

    left, right, out = torch.ones(SIZE, SIZE), torch.ones(SIZE, SIZE), torch.empty(SIZE, SIZE)
    said = 0
    began, thread_began = time.perf_counter(), time.thread_time()
    for done in range(products):
        torch.mm(left, right, out=out)
        should_stop()
        report(Stage.ACOUSTIC, done, products)
        while said < done * lines:
            say(said)
            said += 1
    return Slice(time.perf_counter() - began, time.thread_time() - thread_began, said)


def by_turns(load: Load, report: Report, should_stop: ShouldStop) -> list[Pair]:
    """Each of a pair is as often before as behind the other: the machine's mood is nobody's advantage."""
    work(load.products, 0, report, should_stop)  # warms up
    pairs: list[Pair] = []
    for number in range(load.pairs):
        made = {}
        for lines in (0.0, load.lines) if number % 2 else (load.lines, 0.0):
            _rest(should_stop)
            made[lines] = work(load.products, lines, report, should_stop)
        pairs.append((made[0.0], made[load.lines]))
    return pairs


def _rest(should_stop: ShouldStop) -> None:
    until = time.monotonic() + REST_S
    while time.monotonic() < until:
        should_stop()
        time.sleep(0.05)


class WorkingEngine:
    """The work as an engine; half a second of silence is its speech."""

    name = "bench"
    sample_rate_hz = 24_000
    clones = False
    streams = False
    at_once = 1

    def __init__(self, load: Load) -> None:
        self._load = load
        self.pairs: list[Pair] = []

    def prepare(self, voice: ReferenceVoice, report: Report, should_stop: ShouldStop) -> None:
        """Nothing to prepare."""

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        from synthesis.engines.base import AudioChunk

        self.pairs = by_turns(self._load, report, should_stop)
        yield AudioChunk(np.zeros(12_000, np.float32))

    def release(self) -> None:
        """Nothing is kept."""

    def device_bytes(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to give back."""

    def fingerprint(self) -> Fingerprint:
        from synthesis.engines.base import Fingerprint

        return Fingerprint("bench", "1", "none", "cpu", "float32")


def alone(load: Load) -> list[Pair]:
    return by_turns(load, lambda _stage, _done, _total: None, lambda: False)


def unkept(load: Load) -> list[Pair]:
    """The calls themselves: a handler that does nothing, a stream that forgets."""
    with logged_to(logging.NullHandler()), contextlib.redirect_stdout(Forgetful()):
        return alone(load)


def filed(load: Load, path: Path) -> list[Pair]:
    """What the standard library does: a formatted line each, printed lines at once as on a console."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    with logged_to(handler), path.open("a", buffering=1) as file, contextlib.redirect_stdout(file):
        pairs = alone(load)
    handler.close()
    return pairs


class Forgetful(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def logged_to(handler: logging.Handler) -> Iterator[None]:
    before = list(logging.root.handlers)
    logging.root.handlers[:] = [handler]
    try:
        yield
    finally:
        logging.root.handlers[:] = before


def in_a_job(load: Load) -> tuple[list[Pair], int, int]:
    """Also the lines in the log file, and how many became events."""
    from synthesis.jobs import lifecycle, spec
    from synthesis.models import Event, User
    from synthesis.outputs import log_lines, store
    from synthesis.worker.performance import Performance

    user = User.objects.get()
    lifecycle.submit(spec.validate({"text": "One."}, user=user), owner=user, address=None)
    claim = lifecycle.claim_next("bench")
    if claim is None:
        raise RuntimeError("no job waits")
    engine = WorkingEngine(load)
    Performance(claim, engine, lambda: False).run()
    kept = sum(1 for _ in log_lines.read(store.log_path(claim.job_id)))
    events = Event.objects.filter(job_id=claim.job_id, kind="log", data__code="").count()
    return engine.pairs, kept, events


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--slice", type=float, default=1.0, help="seconds of work in one slice")
    parser.add_argument("--rate", type=int, default=10_000, help="lines a second")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, portal(Path(directory)):
        result = {"machine": machine(), **measure(arguments, Path(directory) / "library.log")}
    print(json.dumps(result, indent=2))
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


@contextlib.contextmanager
def portal(directory: Path) -> Iterator[None]:
    """A database and a Redis of its own, with one user and one voice; Django is set up to use them."""
    os.environ.update(COSYWEB_DATA_DIR=str(directory), DJANGO_SETTINGS_MODULE="cosyweb.settings")
    import django

    django.setup()
    import torch
    from django.core.management import call_command

    from cosyweb import supervision

    torch.set_num_threads(1)
    for name in ("run", "logs", "media", "cache"):
        (directory / name).mkdir(exist_ok=True)
    command = [str(supervision.redis_server()), str(supervision.redis_config())]
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 our own Redis
    try:
        call_command("migrate", verbosity=0)
        _people_and_a_voice()
        yield
    finally:
        redis.terminate()
        redis.wait(20)


def _people_and_a_voice() -> None:
    from synthesis.audio import wav
    from synthesis.models import User, Voice
    from synthesis.outputs import store

    User.objects.create_superuser("admin", password="bench password")  # noqa: S106 of a database that is gone in a minute
    voice = Voice(name="Bench", origin="ready_made", duration_s=1.0, source_sample_rate_hz=24_000)
    voice.path = store.voice_path(voice.pk)
    with store.writing(voice.path) as path:
        wav.write_wav(path, np.zeros(24_000, np.float32))
    voice.sha256 = store.sha256(voice.path)
    voice.save(force_insert=True)


def measure(arguments: argparse.Namespace, path: Path) -> dict[str, Any]:
    load = _load(arguments)
    in_job, kept, events = in_a_job(load)
    called, library_pairs = unkept(load), filed(load, path)
    said = sum(loud.said for _silent, loud in in_job)
    silent_s = sum(silent.thread_s for silent, _loud in in_job)
    return {
        "pairs": load.pairs,
        "slice_s": round(statistics.median(silent.wall_s for silent, _loud in in_job), 3),
        "lines_per_s_of_work": round(said / silent_s),
        "busyness": round(statistics.median(silent.wall_s / silent.thread_s for silent, _loud in in_job), 2),
        "lines_said": said,
        "lines_in_file": kept,
        "events_of_lines": events,
        "slowdown_percent": {
            "the calls alone, nobody keeps the lines": _slowdown(called),
            "standard library, to a file": _slowdown(library_pairs),
            "in a job": _slowdown(in_job),
            "in a job, beyond the calls alone": {
                name: round(percent - _slowdown(called)[name], 2) for name, percent in _slowdown(in_job).items()
            },
        },
    }


def _load(arguments: argparse.Namespace) -> Load:
    """By the processor time of a product, which a busy machine does not change much."""
    sample = 1000
    quickest = min(work(sample, 0, lambda _stage, _done, _total: None, lambda: False).thread_s for _ in range(5))
    product_s = quickest / sample
    return Load(arguments.pairs, round(arguments.slice / product_s), arguments.rate * product_s)


def _slowdown(pairs: list[Pair]) -> dict[str, float]:
    return {
        "wall": _percent([loud.wall_s / silent.wall_s for silent, loud in pairs]),
        "engine_thread_cpu": _percent([loud.thread_s / silent.thread_s for silent, loud in pairs]),
    }


def _percent(ratios: list[float]) -> float:
    return round((statistics.median(ratios) - 1) * 100, 2)


if __name__ == "__main__":
    main()
