"""The embedded engine: one segment of text in, its speech out."""

from collections.abc import Iterator
from pathlib import Path

import torch

from synthesis.engines.base import (
    AudioChunk,
    Fingerprint,
    ReferenceVoice,
    Report,
    SegmentRequest,
    ShouldStop,
    Stopped,
)
from synthesis.engines.embedded import espeak, version
from synthesis.engines.embedded.acoustic import convert
from synthesis.engines.embedded.cache import ProfileCache
from synthesis.engines.embedded.calibration import resampled, source_profile
from synthesis.engines.embedded.features import Features, Progress, analyse
from synthesis.engines.embedded.grid import HOP, SAMPLE_RATE_HZ
from synthesis.engines.embedded.joining import joined, pause_after, silence, trimmed
from synthesis.engines.embedded.loudness import Finish, gain_for
from synthesis.engines.embedded.presets import BY_ID
from synthesis.engines.embedded.profile import describe
from synthesis.engines.embedded.prosody import tempo_of
from synthesis.engines.embedded.reference import cleaned
from synthesis.engines.embedded.script import Run, runs_of
from synthesis.engines.embedded.style import parse
from synthesis.engines.embedded.target import Target, of_preset, of_reference
from synthesis.engines.embedded.traits import Style
from synthesis.engines.embedded.vocoder import render
from synthesis.vocabulary import Stage

LANGUAGES = ("en", "zh")
ESPEAK_SHARE = 0.25
"""Share of the acoustic stage that eSpeak takes, for honest progress."""


class EmbeddedEngine:
    """Speaks on one CPU core without any weights. See ``synthesis.engines.base.Engine`` for the contract."""

    name = "embedded"
    sample_rate_hz = SAMPLE_RATE_HZ
    clones = False
    streams = False
    at_once = 1

    def __init__(self, cache_dir: Path) -> None:
        self._profiles = ProfileCache(cache_dir / "embedded", version.code_version())
        for language in LANGUAGES:
            source_profile(language)

    def prepare(self, voice: ReferenceVoice, report: Report, should_stop: ShouldStop) -> Target:
        """A preset's numbers, or the profile of the recording. Raises ReferenceUnusable, Stopped."""
        progress = progress_of(Stage.EXTRACT, 0.0, 1.0, report, should_stop)
        progress(0.0)
        if voice.preset in BY_ID:
            progress(1.0)
            return of_preset(BY_ID[voice.preset], LANGUAGES)
        profile = self._profiles.get(voice.key)
        if profile is None:
            profile = describe(analyse(cleaned(voice), progress))
            self._profiles.put(voice.key, profile)
        progress(1.0)
        return of_reference(profile, LANGUAGES)

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        """Chunks of about 0.3 s, 24 kHz mono. Raises TextUnspeakable, Stopped."""
        target: Target = request.features
        style = parse(request.instruct)
        runs = runs_of(request.text, request.language)
        generator = torch.Generator().manual_seed(request.seed)
        with torch.inference_mode():
            features = self._acoustic(runs, target, style, request.speed, generator, report, should_stop)
        frames = features.f0.numel()
        finish = Finish(gain_for(features, style.gain_db), frames * HOP, generator)
        progress = progress_of(Stage.VOCODER, 0.0, frames, report, should_stop)
        blocks = render(features, generator)
        while True:
            # Not around the yield: the mode belongs to the thread, and the caller's code runs in between.
            with torch.inference_mode():
                block = next(blocks, None)
                if block is None:
                    return
                samples, done = finish(block[0]).numpy().copy(), block[1]
            progress(done / frames)
            yield AudioChunk(samples)

    def release(self) -> None:
        """Nothing is kept between calls but a few kilobytes of profiles."""

    def fingerprint(self) -> Fingerprint:
        return version.fingerprint()

    def device_bytes(self) -> int:
        return 0

    def close(self) -> None:
        """Forget the profiles of voices and what was measured at loading."""
        self._profiles.clear()
        source_profile.cache_clear()

    def _acoustic(
        self,
        runs: tuple[Run, ...],
        target: Target,
        style: Style,
        speed: float,
        generator: torch.Generator,
        report: Report,
        should_stop: ShouldStop,
    ) -> Features:
        """Features of the whole segment in the target voice."""
        progress = progress_of(Stage.ACOUSTIC, 0.0, 1.0, report, should_stop)
        progress(0.0)
        spoken = espeak.speak(runs, should_stop)
        tempo = tempo_of(speed, target, style)
        parts: list[Features] = []
        for index, utterance in enumerate(spoken):
            share = (1.0 - ESPEAK_SHARE) / len(spoken)
            part_progress = progress_of(
                Stage.ACOUSTIC, ESPEAK_SHARE + share * index, ESPEAK_SHARE + share * (index + 1), report, should_stop
            )
            part_progress(0.0)
            samples = trimmed(resampled(utterance.samples, utterance.sample_rate_hz), utterance)
            features = analyse(samples, part_progress)
            parts.append(convert(features, utterance.language, target, style, tempo, generator, part_progress))
            if index + 1 < len(spoken):
                parts.append(silence(pause_after(utterance.text) / tempo))
        progress(1.0)
        return joined(parts)


def progress_of(stage: Stage, low: float, high: float, report: Report, should_stop: ShouldStop) -> Progress:
    """Turns a share of one step into a report on the stage, and a wish to stop into Stopped."""
    total = max(1.0, high) if stage is Stage.VOCODER else 1.0

    def progress(share: float) -> None:
        if should_stop():
            raise Stopped
        report(stage, low + (high - low) * share, total)

    return progress


def load(*, cache_dir: Path, model_dir: Path | None = None) -> EmbeddedEngine:
    """The engine, measured in and ready. Sets torch to one thread: a second one gains nothing here and costs
    much when other workers share the machine."""
    del model_dir  # no weights
    torch.set_num_threads(1)
    return EmbeddedEngine(cache_dir)
