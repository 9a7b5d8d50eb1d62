"""What a burst of log lines costs the engine that logs them: 10,000 lines a second, half logged, half printed.

    python -m bench.log_burst [--rounds N] [--slice SECONDS] [--rate LINES] [--out FILE]

In a job as a worker performs it, with database, Redis, log file and events, an engine does slices of the same work
(matrix products on one thread), one after the other in four ways: silent, with lines that nobody keeps, with lines that
the standard library writes to a file, and with lines of the job. A round is one slice of each, in an order drawn anew:
none is always the first, and the first seconds weigh no more than the last.

A core of a shared machine is by turns up to a third faster and slower, for some tenths of a second each, which is far
more than what is to be found. So the clock is the work itself: a slice's time is counted in products, by the median
product of each stretch of 32 (some 10 ms). A stretch of 32 products with lines lasts longer than 32 times its median
product by what the lines took of the thread, and by how long it waited for Python's lock while they were put away.
Figures are medians over the rounds, each with the limits that enclose it in 95 of 100 such runs. What lines do to the
products' own pace (through caches, say) is a figure by itself, as unsure as the machine is restless. The rest between
two slices, while all is written out, does not count.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from bench.machine import machine
from bench.medians import Sure, median
from synthesis.vocabulary import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthesis.engines.base import AudioChunk, Fingerprint, ReferenceVoice, Report, SegmentRequest, ShouldStop

DEFAULT_OUT = Path(__file__).parent / "results" / "log_burst.json"
SIZE = 256
"""Of the square matrices: a product takes some tenths of a millisecond, as a small layer does."""
REST_S = 0.4
STRETCH = 32
"""Products by whose median a stretch of work is timed."""
RUN_IN = 0.4
"""Of a slice's work, done before the clocks start: the burst is under way, and what is said then is written while the
clocks run, as what is said last is written after they stop."""
library = logging.getLogger("bench.library")


class Way(StrEnum):
    SILENT = "silent"
    CALLED = "the calls alone, nobody keeps the lines"
    FILED = "standard library, to a file"
    KEPT = "in a job"


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of work took: seconds, and its time in products for each product done; the median product."""

    wall_s: float
    products: float
    product_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """How many rounds of slices, of how many products each, with how many lines a product; a file for the library."""

    rounds: int
    products: int
    lines: float
    file: Path


Round = dict[Way, Slice]


def say(number: int) -> None:
    if number % 2:
        print("step", number, "of the decoder: 128 tokens, 3.14 it/s")
    else:
        library.info("step %d of the decoder: %d tokens, %.2f it/s", number, 128, 3.14)


def work(products: int, lines: float, report: Report, should_stop: ShouldStop) -> tuple[Slice, int]:
    """So many matrix products, and after each its share of the lines: the same ones however slow the machine is.

    With the number of lines said."""
    import torch

    left, right, out = torch.ones(SIZE, SIZE), torch.ones(SIZE, SIZE), torch.empty(SIZE, SIZE)
    said = 0
    run_in = int(products * RUN_IN)
    clock = time.perf_counter
    marks: list[float] = []
    for done in range(run_in + products):
        began = clock()
        torch.mm(left, right, out=out)
        marks += (began, clock())
        should_stop()
        report(Stage.ACOUSTIC, done, run_in + products)
        while said < done * lines:
            say(said)
            said += 1
    marks.append(clock())
    return _timed(np.array(marks[2 * run_in :])), said


def _timed(marks: NDArray[np.float64]) -> Slice:
    """``marks``: begin and end of each product, in seconds, and the end of all."""
    steps, products = np.diff(marks[::2]), marks[1::2] - marks[:-1:2]
    whole = len(steps) // STRETCH * STRETCH
    in_products = steps[:whole].reshape(-1, STRETCH).sum(1) / np.median(products[:whole].reshape(-1, STRETCH), axis=1)
    return Slice(marks[-1] - marks[0], float(in_products.mean()) / STRETCH, float(np.median(products)))


def by_turns(load: Load, report: Report, should_stop: ShouldStop) -> tuple[list[Round], int]:
    """The rounds, and how many lines the job was told."""
    draw = random.Random(1)  # noqa: S311 an order, no secret
    said = 0
    rounds: list[Round] = []
    ways = list(Way)
    with load.file.open("a", buffering=1) as file:
        for _ in range(load.rounds):
            draw.shuffle(ways)
            one: Round = {}
            for way in ways:
                _rest(should_stop)
                with ears(way, file):
                    lines = 0.0 if way is Way.SILENT else load.lines
                    one[way], count = work(load.products, lines, report, should_stop)
                said += count if way is Way.KEPT else 0
            rounds.append(one)
    return rounds, said


def _rest(should_stop: ShouldStop) -> None:
    until = time.monotonic() + REST_S
    while time.monotonic() < until:
        should_stop()
        time.sleep(0.05)


@contextlib.contextmanager
def ears(way: Way, file: TextIO) -> Iterator[None]:
    """Who hears what is said meanwhile; the worker's capture is at home in between."""
    if way is Way.CALLED:
        with logged_to(logging.NullHandler()), contextlib.redirect_stdout(Forgetful()):
            yield
    elif way is Way.FILED:
        # A formatted line each, printed lines at once as on a console.
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        with logged_to(handler), contextlib.redirect_stdout(file):
            yield
    else:
        yield


class WorkingEngine:
    """The work as an engine; half a second of silence is its speech."""

    name = "bench"
    sample_rate_hz = 24_000
    clones = False
    streams = False
    at_once = 1

    def __init__(self, load: Load) -> None:
        self._load = load
        self.rounds: list[Round] = []
        self.said = 0

    def prepare(self, voice: ReferenceVoice, report: Report, should_stop: ShouldStop) -> None:
        """Nothing to prepare."""

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        from synthesis.engines.base import AudioChunk

        self.rounds, self.said = by_turns(self._load, report, should_stop)
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


def in_a_job(load: Load) -> tuple[WorkingEngine, int, int]:
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
    return engine, kept, events


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--slice", type=float, default=1.0, help="seconds of work in one slice")
    parser.add_argument("--rate", type=int, default=10_000, help="lines a second")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, portal(Path(directory)):
        result = {"machine": machine(), **measure(arguments, Path(directory) / "library.log")}
    json.dump(result, sys.stdout, indent=2)
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


def measure(arguments: argparse.Namespace, file: Path) -> dict[str, Any]:
    load = _load(arguments, file)
    engine, kept, events = in_a_job(load)
    rounds = engine.rounds
    silent, loud = [one[Way.SILENT] for one in rounds], [one[Way.KEPT] for one in rounds]
    slowdown = {way.value: _slowdown(rounds, way, Way.SILENT) for way in Way if way is not Way.SILENT}
    slowdown["in a job, beyond the calls alone"] = _slowdown(rounds, Way.KEPT, Way.CALLED)
    return {
        "rounds": load.rounds,
        "slice_s": round(statistics.median(one.wall_s for one in silent), 3),
        "restlessness_percent": _restlessness([one.product_s for one in silent]),
        "lines_per_s": round(engine.said / (sum(one.wall_s for one in loud) * (1 + RUN_IN))),
        "lines_said": engine.said,
        "lines_in_file": kept,
        "events_of_lines": events,
        "slowdown_percent": slowdown,
        "slower_products_percent": median(
            [(one[Way.KEPT].product_s / one[Way.CALLED].product_s - 1) * 100 for one in rounds]
        ),
    }


def _load(arguments: argparse.Namespace, file: Path) -> Load:
    sample = 1000
    silent = [work(sample, 0, lambda _stage, _done, _total: None, lambda: False)[0] for _ in range(5)]
    product_s = statistics.median(one.wall_s for one in silent) / sample
    return Load(arguments.rounds, round(arguments.slice / product_s), arguments.rate * product_s, file)


def _slowdown(rounds: list[Round], way: Way, than: Way) -> Sure:
    return median([(one[way].products / one[than].products - 1) * 100 for one in rounds])


def _restlessness(values: list[float]) -> float:
    """How far apart equal slices of work are: half the distance of their quartiles, in per cent of their median."""
    first, middle, third = statistics.quantiles(values, n=4)
    return round((third - first) / 2 / middle * 100, 2)


if __name__ == "__main__":
    main()
