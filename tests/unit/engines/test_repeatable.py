"""The same request gives the same samples, wherever and after whatever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from synthesis.engines.base import Engine, SegmentRequest
from tests.unit.engines.speaking import CHINESE, ENGLISH, MIXED, digest, ignore, never, preset, say

PROGRAM = """
import sys, pathlib
from synthesis.engines.catalogue import load_engine
from tests.unit.engines.speaking import MIXED, digest, say
engine = load_engine("embedded", cache_dir=pathlib.Path(sys.argv[1]))
print(digest(say(engine, MIXED, "qingyan", seed=11, instruct="gently")))
"""


def in_a_fresh_process(folder: Path) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, timeout=60, check=True
    )
    return finished.stdout.strip()


def test_fresh_processes_and_a_used_one_agree_to_the_sample(engine: Engine, tmp_path: Path) -> None:
    say(engine, ENGLISH, "henry", seed=3)
    say(engine, CHINESE, "xiaohe", seed=4, speed=1.7)
    here = digest(say(engine, MIXED, "qingyan", seed=11, instruct="gently"))
    assert {in_a_fresh_process(tmp_path / "a"), in_a_fresh_process(tmp_path / "b")} == {here}


def test_another_seed_speaks_differently_but_as_long(engine: Engine) -> None:
    one, other = say(engine, seed=1), say(engine, seed=2)
    assert digest(one) != digest(other)
    assert abs(one.size - other.size) < 0.02 * one.size


def test_two_segments_spoken_in_turns_do_not_disturb_each_other(engine: Engine) -> None:
    features = engine.prepare(preset("alice"), ignore, never)
    requests = [SegmentRequest(ENGLISH, "en", features, seed) for seed in (1, 2)]
    alone = [say(engine, ENGLISH, "alice", seed=seed) for seed in (1, 2)]
    turns = [engine.synthesize(request, ignore, never) for request in requests]
    pieces: list[list[np.ndarray[tuple[int], np.dtype[np.float32]]]] = [[], []]
    for first, second in zip(*turns, strict=True):
        pieces[0].append(first.samples)
        pieces[1].append(second.samples)
    assert [digest(np.concatenate(piece)) for piece in pieces] == [digest(samples) for samples in alone]


def test_the_fingerprint_names_code_and_libraries(engine: Engine) -> None:
    fingerprint = engine.fingerprint()
    assert len(fingerprint.version) == 64
    assert (fingerprint.device, fingerprint.precision, fingerprint.weights) == ("cpu", "float32", "none")
    assert {"torch", "torchaudio", "numpy", "espeak-ng"} <= set(fingerprint.libraries)
