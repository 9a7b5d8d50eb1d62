"""Runs eSpeak NG in a fresh child process per segment and hands back samples and phones."""

import importlib.util
import json
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from synthesis.engines.base import ChildKilled, EngineError, Samples, ShouldStop, Stopped, TextUnspeakable
from synthesis.engines.embedded.script import VOICES, Run

CHILD = Path(__file__).with_name("espeak_child.py")
LIMIT_S = 20.0
POLL_S = 0.02
"""How often the stop flag is looked at while the child works."""

LIBRARY_NAMES = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}
SETTINGS = {"rate": 150, "pitch": 36, "range": 60, "gap": 0}
"""A low pitch gives many harmonics, so the analysis sees the formants between them more exactly."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A sound and where it starts."""

    start_s: float
    name: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """One run as eSpeak speaks it: ``samples`` (N,) at ``sample_rate_hz``."""

    samples: Samples
    sample_rate_hz: int
    language: str
    text: str
    phones: tuple[Phone, ...]


class Silent(TextUnspeakable):
    """eSpeak found nothing to say in the text."""


def speak(runs: tuple[Run, ...], should_stop: ShouldStop) -> tuple[Utterance, ...]:
    """Say ``runs`` in one new process.

    Raises Stopped (the child is dead then), Silent if no run has phones, EngineError if eSpeak fails or hangs,
    ChildKilled if somebody ended it.
    """
    reply = converse([[VOICES[run.language], run.text] for run in runs], should_stop)
    utterances = tuple(utterances_of(reply, runs))
    if not utterances:
        raise Silent("The text holds no words that can be spoken.")
    return utterances


@lru_cache(maxsize=1)
def version() -> str:
    """eSpeak NG's own version number."""
    header, _ = parse(converse([], lambda: False))
    return str(header["version"])


def converse(runs: list[list[str]], should_stop: ShouldStop) -> bytes:
    """The child's answer. The child never outlives this call."""
    order = json.dumps({**SETTINGS, **installation(), "runs": runs}).encode()
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
        [sys.executable, "-I", "-S", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        reply, complaint = wait_for(child, order, should_stop)
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    if child.returncode < 0:
        raise ChildKilled(f"eSpeak NG was killed by signal {-child.returncode}.")
    if child.returncode != 0:
        raise EngineError(f"eSpeak NG failed: {complaint.decode('utf-8', 'replace').strip()[-300:]}")
    return reply


def wait_for(child: subprocess.Popen[bytes], order: bytes, should_stop: ShouldStop) -> tuple[bytes, bytes]:
    """Feed and read the child until it ends, polling ``should_stop``."""
    deadline = time.monotonic() + LIMIT_S
    pending: bytes | None = order
    while True:
        try:
            return child.communicate(pending, timeout=POLL_S)
        except subprocess.TimeoutExpired:
            pending = None
        if should_stop():
            raise Stopped
        if time.monotonic() > deadline:
            raise EngineError(f"eSpeak NG did not finish within {LIMIT_S:g} s.")


def parse(reply: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and PCM16 bytes of a child's reply."""
    (length,) = struct.unpack_from("<Q", reply)
    return json.loads(reply[8 : 8 + length]), reply[8 + length :]


def utterances_of(reply: bytes, runs: tuple[Run, ...]) -> Iterator[Utterance]:
    """The runs that made a sound."""
    header, pcm = parse(reply)
    rate_hz = int(header["sample_rate_hz"])
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
    start = 0
    for run, said in zip(runs, header["runs"], strict=True):
        piece = samples[start : start + said["samples"]]
        start += said["samples"]
        phones = tuple(Phone(at / rate_hz, name) for at, name in said["phones"])
        if any(is_sound(phone) for phone in phones) and piece.size and float(np.abs(piece).max()) > 0:
            yield Utterance(piece, rate_hz, run.language, run.text, phones)


def is_sound(phone: Phone) -> bool:
    """Whether the phone is neither a pause, a syllable mark nor a change of language."""
    return not phone.name.startswith(("_", "(")) and phone.name != ""


@lru_cache(maxsize=1)
def installation() -> dict[str, str]:
    """Paths of eSpeak's library and data, found without importing the package that carries them."""
    spec = importlib.util.find_spec("espeakng_loader")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("eSpeak NG is missing: install the package espeakng-loader.")
    folder = Path(next(iter(spec.submodule_search_locations)))
    library = folder / LIBRARY_NAMES.get(sys.platform, "libespeak-ng.so")
    return {"library": str(library), "data": str(folder / "espeak-ng-data")}
