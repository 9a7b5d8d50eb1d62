"""``manage.py checkmodel DIR``: is this a CosyVoice 3 that can speak?"""

from __future__ import annotations

import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from synthesis.audio import wav
from synthesis.engines.base import Engine, EngineError, ReferenceVoice, Samples, SegmentRequest
from synthesis.engines.catalogue import load_engine
from synthesis.vocabulary import Mode, Stage

TRIAL = "这是一次很短的试音。"
"""About two seconds."""
REFERENCE_S = 3.0


class Command(BaseCommand):
    help = "Say which model files are there, what is missing, their hashes, and speak two seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--reference", type=Path, help="A WAV to speak like; default: a tone, which is no voice.")
        parser.add_argument("--out", type=Path, help="Keep what was spoken in this WAV.")

    def handle(self, *args: Any, folder: Path, reference: Path | None, out: Path | None, **options: Any) -> None:
        if self._missing(folder):
            raise CommandError(f"{folder} is not complete.")
        with tempfile.TemporaryDirectory(prefix="cosyweb-checkmodel-") as cache_dir:
            try:
                engine = self._load(folder, Path(cache_dir))
                samples = self._speak(engine, reference)
            except EngineError as problem:
                raise CommandError(f"{problem.code}: {problem}") from problem
        if out is not None:
            wav.write_wav(out, samples, engine.sample_rate_hz)

    def _missing(self, folder: Path) -> int:
        """A line for every file; how many are missing."""
        # Not at the top: it loads torch, and every command of manage.py is imported for the list of commands' help.
        from synthesis.engines.cosyvoice3.folder import FILES, file_hash  # noqa: PLC0415

        missing = 0
        for file in FILES:
            path = folder / file.name
            if path.is_file():
                line = f"{path.stat().st_size:>13,} B  {file_hash(path)}"
            else:
                missing += file.required
                line = "MISSING" if file.required else "not there; as released"
            self.stdout.write(f"{file.name:<32} {line}  ({file.purpose})")
        return missing

    def _load(self, folder: Path, cache_dir: Path) -> Engine:
        began = time.monotonic()
        engine = load_engine("cosyvoice3", cache_dir=cache_dir, model_dir=folder)
        fingerprint = engine.fingerprint()
        self.stdout.write(
            f"Loaded in {time.monotonic() - began:.1f} s on {fingerprint.device}, {fingerprint.precision}."
        )
        return engine

    def _speak(self, engine: Engine, reference: Path | None) -> Samples:
        began = time.monotonic()
        features = engine.prepare(_voice(reference), _ignore, _never)
        request = SegmentRequest(text=TRIAL, language="zh", features=features, seed=1, mode=Mode.CROSS_LINGUAL)
        samples = np.concatenate([chunk.samples for chunk in engine.synthesize(request, _ignore, _never)])
        self.stdout.write(
            f"Spoke {samples.size / engine.sample_rate_hz:.1f} s of audio in {time.monotonic() - began:.1f} s."
        )
        return samples


def _voice(reference: Path | None) -> ReferenceVoice:
    if reference is not None:
        samples, rate_hz = wav.read_wav(reference)
    else:
        rate_hz = 24_000
        time_s = np.arange(int(REFERENCE_S * rate_hz)) / rate_hz
        samples = (0.1 * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)
    return ReferenceVoice(key="trial", samples=samples, sample_rate_hz=rate_hz)


def _ignore(stage: Stage, done: float, total: float) -> None:
    """A trial is too short for a progress bar."""


def _never() -> bool:
    return False
