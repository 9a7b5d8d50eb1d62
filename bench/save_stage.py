"""What writing the files costs beside speaking: processor seconds for a minute of speech, by format.

    python -m bench.save_stage [--runs N] [--out FILE]

The speech is the embedded engine's own; eSpeak's child process is not counted.
Every figure is the smallest over the runs.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from bench.embedded_engine import LONG, ignore
from bench.machine import machine
from synthesis.audio import encode, wav
from synthesis.engines.base import ReferenceVoice, Samples, SegmentRequest
from synthesis.engines.catalogue import load_engine
from synthesis.engines.embedded.sampling import render_sample
from synthesis.vocabulary import AudioFormat

DURATION_S = 60.0
TAGS = {"title": "bench", "comment": "x" * 2000}
DEFAULT_OUT = Path(__file__).parent / "results" / "save_stage.json"


def smallest(runs: int, work: Callable[[], object]) -> float:
    """Processor seconds of this process, the smallest over the runs."""
    spent = []
    for _ in range(runs):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return round(min(spent), 4)


def spoken(folder: Path, runs: int) -> tuple[Samples, float]:
    """A minute of speech at 24 kHz, and the processor seconds the engine needs for a minute."""
    engine = load_engine("embedded", cache_dir=folder)
    features = engine.prepare(ReferenceVoice("bench", *render_sample("alice")), ignore, lambda: False)
    request = SegmentRequest(LONG, "en", features, 1986)

    def speak() -> Samples:
        return np.concatenate([chunk.samples for chunk in engine.synthesize(request, ignore, lambda: False)])

    samples = speak()
    wanted = round(DURATION_S * engine.sample_rate_hz)
    seconds = smallest(runs, speak) * wanted / samples.size
    return np.resize(samples, wanted), round(seconds, 4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples, engine_s = spoken(folder, chosen.runs)
        source = folder / "source.wav"
        wav.write_wav(source, samples)
        formats_s = {
            str(each): smallest(chosen.runs, partial(encode.encode, source, folder / "target", each, TAGS))
            for each in AudioFormat
        }
    save_s = round(sum(formats_s.values()), 4)
    results = {
        "machine": machine(("torch", "numpy", "av")),
        "audio_s": DURATION_S,
        "engine_s": engine_s,
        "formats_s": formats_s,
        "save_s": save_s,
        "share": round(save_s / (save_s + engine_s), 3),
    }
    print(json.dumps(results, indent=2))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
