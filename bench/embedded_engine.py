"""How fast the embedded engine is: real-time factor by stage, time to first audio, memory.

    python -m bench.embedded_engine [--runs N] [--out FILE]

One torch thread, as in the worker. Every figure is the median over the runs, caches warm unless the name says cold.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.machine import machine
from synthesis.engines.base import Engine, ReferenceVoice, SegmentRequest
from synthesis.engines.catalogue import load_engine
from synthesis.engines.embedded import espeak
from synthesis.engines.embedded import features as features_module
from synthesis.engines.embedded.calibration import resampled
from synthesis.engines.embedded.sampling import render_sample
from synthesis.engines.embedded.script import runs_of
from synthesis.vocabulary import Stage

LONG = (
    "It was raining when we came back from the market, so we sat down in the kitchen, made a pot of tea, and "
    "talked about the summer that my sister had spent by the sea, far away from the noise of the city."
)
CASES = {
    "zh clause": ("zh", "今天天气很好，我们一起去公园散步吧。"),
    "en clause": ("en", "Please remember to water the plants before you leave for work."),
    "mixed": ("zh", "我用 Python 写了一个 voice portal，大家都很喜欢。"),
    "en long": ("en", LONG),
}
DEFAULT_OUT = Path(__file__).parent / "results" / "embedded_engine.json"


class Clock:
    """Seconds since the last look, by name."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def over(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.spent[name] += time.perf_counter() - started


def ignore(stage: Stage, done: float, total: float) -> None:
    """A report that nobody reads."""


def once(engine: Engine, request: SegmentRequest) -> dict[str, float]:
    """Seconds of one segment: all, to the first chunk, and by stage as the engine reports them."""
    began: dict[Stage, float] = {}

    def report(stage: Stage, done: float, total: float) -> None:
        began.setdefault(stage, time.perf_counter())

    started = time.perf_counter()
    chunks = engine.synthesize(request, report, lambda: False)
    first = next(chunks)
    first_audio = time.perf_counter() - started
    samples = np.concatenate([first.samples, *(chunk.samples for chunk in chunks)])
    total = time.perf_counter() - started
    return {
        "audio_s": samples.size / engine.sample_rate_hz,
        "first_audio_s": first_audio,
        "total_s": total,
        "acoustic_s": began[Stage.VOCODER] - began[Stage.ACOUSTIC],
        "vocoder_s": total - (began[Stage.VOCODER] - started),
        "level_dbfs": 10 * float(np.log10(np.mean(np.square(samples)))),
        "peak": float(np.abs(samples).max()),
    }


def inside(text: str, language: str) -> dict[str, float]:
    """Seconds of eSpeak and of the analysis alone, which are parts of the acoustic stage."""
    clock = Clock()
    with clock.over("espeak_s"):
        utterances = espeak.speak(runs_of(text, language), lambda: False)
    with clock.over("analysis_s"):
        for utterance in utterances:
            features_module.analyse(resampled(utterance.samples, utterance.sample_rate_hz), lambda share: None)
    return dict(clock.spent)


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(row[name] for row in rows), 4) for name in rows[0]}


def case(engine: Engine, features: Any, language: str, text: str, runs: int) -> dict[str, float]:
    """Medians of one text, with real-time factors."""
    request = SegmentRequest(text, language, features, 1)
    once(engine, request)
    figures = medians([once(engine, request) | inside(text, language) for _ in range(runs)])
    figures["rtf"] = round(figures["total_s"] / figures["audio_s"], 4)
    for stage in ("espeak", "analysis", "acoustic", "vocoder"):
        figures[f"{stage}_rtf"] = round(figures[f"{stage}_s"] / figures["audio_s"], 4)
    return figures


def memory_mb() -> float:
    return round(psutil.Process().memory_info().rss / 2**20, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    chosen = parser.parse_args()
    clock = Clock()
    results: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        with clock.over("load_s"):
            engine = load_engine("embedded", cache_dir=Path(folder))
        results["memory_loaded_mb"] = memory_mb()
        samples, rate_hz = render_sample("alice")
        voice = ReferenceVoice("bench", samples, rate_hz)
        with clock.over("prepare_cold_s"):
            features = engine.prepare(voice, ignore, lambda: False)
        with clock.over("prepare_warm_s"):
            engine.prepare(voice, ignore, lambda: False)
        results |= {name: round(value, 4) for name, value in clock.spent.items()}
        results["reference_s"] = round(samples.size / rate_hz, 2)
        results["cases"] = {
            name: case(engine, features, language, text, chosen.runs) for name, (language, text) in CASES.items()
        }
    results["memory_peak_use_mb"] = memory_mb()
    print(json.dumps(results, indent=2, ensure_ascii=False))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
