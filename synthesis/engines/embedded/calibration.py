"""The plain eSpeak voice, measured once: what every conversion starts from."""

from functools import lru_cache

import torch

from synthesis.engines.base import EngineError, Samples, ShouldStop
from synthesis.engines.embedded import espeak
from synthesis.engines.embedded.features import Features, Progress, analyse
from synthesis.engines.embedded.grid import SAMPLE_RATE_HZ
from synthesis.engines.embedded.profile import Profile, describe
from synthesis.engines.embedded.script import Run
from synthesis.engines.torchaudio_loader import load_torchaudio

TEXTS = {
    "en": (
        "When the sunlight strikes raindrops in the air, they act as a prism and form a rainbow. "
        "Please choose the five large boxes, and join us on the ship for a good cup of tea. "
        "Her father thought that the young boy would measure every path through the woods."
    ),
    "zh": (
        "春天来了，花园里的花都开了，孩子们高兴地跑来跑去。请把桌子上的书放进书包，然后跟我去学校。"
        "四十四只石狮子看着远处的山，日落以后，街上的人越来越少，女儿弹起了琴。"
    ),
}
"""Sentences of our own that hold every sound of the language."""


def resampled(samples: Samples, rate_hz: int) -> torch.Tensor:
    """``samples`` (N,) at 24 kHz."""
    waveform: torch.Tensor = load_torchaudio().functional.resample(torch.from_numpy(samples), rate_hz, SAMPLE_RATE_HZ)
    return waveform


def measure(language: str, should_stop: ShouldStop, progress: Progress) -> Features:
    """Features of the calibration text of ``language`` in eSpeak's voice."""
    if language not in TEXTS:
        raise EngineError(f"There is no calibration text for {language!r}.")
    utterances = espeak.speak((Run(language, TEXTS[language]),), should_stop)
    return analyse(resampled(utterances[0].samples, utterances[0].sample_rate_hz), progress)


@lru_cache(maxsize=len(TEXTS))
def source_profile(language: str) -> Profile:
    """Profile of eSpeak's own voice in ``language``. The same in every process; half a second the first time."""
    return describe(measure(language, lambda: False, lambda share: None))
