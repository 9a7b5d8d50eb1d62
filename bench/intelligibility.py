"""How well the embedded engine is understood: word error rate by a recogniser, and likeness to the reference.

    python -m bench.intelligibility [--reference FILE ...] [--preset ID ...] [--instruct TEXT] [--out FILE]

The recogniser is pocketsphinx with its stock English model, the measure jiwer's word error rate over all sentences
together. Likeness is the distance of mean mel cepstra (smaller is closer) to the own and to the other references.
"""

import argparse
import hashlib
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
import torch
from pocketsphinx import Decoder

from bench.machine import machine
from synthesis.engines.base import Engine, ReferenceVoice, Samples, SegmentRequest
from synthesis.engines.catalogue import load_engine
from synthesis.engines.embedded import espeak
from synthesis.engines.embedded.pitch import track
from synthesis.engines.embedded.presets import PRESETS
from synthesis.engines.embedded.script import runs_of
from synthesis.engines.torchaudio_loader import load_torchaudio

SENTENCES = (
    "The train to the city leaves at seven in the morning.",
    "Please remember to water the plants before you leave.",
    "My brother works in a small office near the river.",
    "We had a long talk about the weather and the news.",
    "She opened the window because the room was too hot.",
    "There are many good reasons to learn another language.",
    "The doctor said that he should rest for a week.",
    "I would like a cup of coffee with a little milk.",
    "The children played in the park until it was dark.",
    "He forgot his keys and had to wait outside the house.",
    "The meeting will start in about twenty minutes.",
    "They are going to build a new school next year.",
    "Nobody knows how the story is going to end.",
    "The price of food has gone up again this month.",
    "You can find the answer on the last page of the book.",
    "It was raining when we came back from the market.",
    "Her new job is much better than the old one.",
    "The government will announce the results on Monday.",
    "I have never seen such a beautiful garden before.",
    "He told me that the road was closed because of snow.",
    "The company plans to open three more stores this summer.",
    "Please tell your mother that dinner is almost ready.",
    "The old man walked slowly down the street with his dog.",
    "We should be able to finish the work by Friday.",
)
RECOGNISER_HZ = 16_000
ROOM_TONE = 3.2e-4
"""-70 dBFS."""
FIRST_SEED = 7
DEFAULT_OUT = Path(__file__).parent / "results" / "intelligibility.json"


def read(path: Path) -> ReferenceVoice:
    """A recording of any format, as a reference voice."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate_hz = stream.rate
        to_mono = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
        pieces = [out.to_ndarray()[0] for frame in container.decode(stream) for out in to_mono.resample(frame)]
        pieces += [out.to_ndarray()[0] for out in to_mono.resample(None)]
    key = hashlib.sha256(path.read_bytes()).hexdigest()
    return ReferenceVoice(key, np.concatenate(pieces).astype(np.float32), rate_hz)


def preset_voice(preset_id: str) -> ReferenceVoice:
    return ReferenceVoice(f"preset-{preset_id}", np.zeros(0, np.float32), 24_000, preset=preset_id)


def speak(engine: Engine, features: Any, text: str, index: int, instruct: str) -> Samples:
    request = SegmentRequest(text, "en", features, FIRST_SEED + index, instruct)
    chunks = engine.synthesize(request, lambda stage, done, total: None, lambda: False)
    return np.concatenate([chunk.samples for chunk in chunks])


def resampled(samples: Samples, rate_hz: int, wanted_hz: int) -> torch.Tensor:
    waveform: torch.Tensor = load_torchaudio().functional.resample(torch.from_numpy(samples), rate_hz, wanted_hz)
    return waveform


class Recogniser:
    """pocketsphinx's stock English model."""

    def __init__(self) -> None:
        self._decoder = Decoder(samprate=RECOGNISER_HZ, loglevel="FATAL")

    def words(self, samples: Samples, rate_hz: int) -> str:
        # A quarter second of a quiet room on either side: the model knows recordings, not digital silence.
        room = (ROOM_TONE * np.random.default_rng(0).standard_normal((2, RECOGNISER_HZ // 4))).astype(np.float32)
        audio = np.concatenate([room[0], resampled(samples, rate_hz, RECOGNISER_HZ).numpy(), room[1]])
        pcm = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
        # A new session each time: the running cepstral mean must not carry over from sentence to sentence.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        heard = self._decoder.hyp()
        return heard.hypstr if heard else ""


def normal(text: str) -> str:
    return re.sub(r"[^a-z' ]", "", re.sub(r"\(\d\)", "", text.lower())).strip()


def colour(samples: Samples, rate_hz: int) -> torch.Tensor:
    """Mean mel cepstrum (coefficients 1-12) of the louder half of a recording."""
    transform = load_torchaudio().transforms.MFCC(
        RECOGNISER_HZ, n_mfcc=13, melkwargs={"n_fft": 512, "hop_length": 160, "n_mels": 40}
    )
    cepstra: torch.Tensor = transform(resampled(samples, rate_hz, RECOGNISER_HZ))
    loud = cepstra[0] > cepstra[0].median()
    return cepstra[1:, loud].mean(1)


def pitch_hz(samples: Samples, rate_hz: int) -> float:
    f0 = track(resampled(samples, rate_hz, 24_000), lambda done, total: None)
    return round(float(f0[f0 > 0].median()), 1) if bool((f0 > 0).any()) else 0.0


def measure(engine: Engine, ear: Recogniser, voice: ReferenceVoice, instruct: str) -> tuple[dict[str, Any], Samples]:
    """Figures of one voice, and everything it said."""
    features = engine.prepare(voice, lambda stage, done, total: None, lambda: False)
    spoken = [speak(engine, features, text, index, instruct) for index, text in enumerate(SENTENCES)]
    heard = [normal(ear.words(samples, engine.sample_rate_hz)) for samples in spoken]
    wanted = [normal(text) for text in SENTENCES]
    whole = np.concatenate(spoken)
    figures = {
        "word_error_rate": round(float(jiwer.wer(wanted, heard)), 4),
        "words": sum(len(text.split()) for text in wanted),
        "seconds": round(whole.size / engine.sample_rate_hz, 1),
        "pitch_hz": statistics.median(pitch_hz(samples, engine.sample_rate_hz) for samples in spoken[:4]),
        "heard": heard,
    }
    return figures, whole


def plain_espeak(ear: Recogniser) -> float:
    """Word error rate of eSpeak's own voice under the same conditions, with the same room tone."""
    heard = []
    for text in SENTENCES:
        (utterance,) = espeak.speak(runs_of(text, "en"), lambda: False)
        tone = ROOM_TONE * np.random.default_rng(0).standard_normal(utterance.samples.size)
        heard.append(normal(ear.words((utterance.samples + tone).astype(np.float32), utterance.sample_rate_hz)))
    return round(float(jiwer.wer([normal(text) for text in SENTENCES], heard)), 4)


def likeness(spoken: dict[str, Samples], references: dict[str, ReferenceVoice], rate_hz: int) -> dict[str, Any]:
    """Distance of every spoken voice to every reference, and of the references to each other."""
    goals = {name: colour(voice.samples, voice.sample_rate_hz) for name, voice in references.items()}
    said = {name: colour(samples, rate_hz) for name, samples in spoken.items()} | {
        f"recording {name}": goal for name, goal in goals.items()
    }
    return {
        name: {goal_name: round(float((mean - goal).norm()), 1) for goal_name, goal in goals.items()}
        for name, mean in said.items()
    }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, action="append", default=[])
    parser.add_argument("--preset", action="append", default=None)
    parser.add_argument("--instruct", default="")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    return parser.parse_args()


def main() -> int:
    chosen = options()
    presets = chosen.preset if chosen.preset is not None else [preset.id for preset in PRESETS]
    references = {path.stem: read(path) for path in chosen.reference}
    voices = {name: preset_voice(name) for name in presets if name != "none"} | references
    ear = Recogniser()
    baseline = plain_espeak(ear)
    print(f"{'eSpeak alone':24} {baseline:7.1%}", flush=True)
    results: dict[str, Any] = {}
    spoken: dict[str, Samples] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = load_engine("embedded", cache_dir=Path(folder))
        for name, voice in voices.items():
            results[name], spoken[name] = measure(engine, ear, voice, chosen.instruct)
            if name in references:
                results[name]["reference_pitch_hz"] = pitch_hz(voice.samples, voice.sample_rate_hz)
            print(f"{name:24} {results[name]['word_error_rate']:7.1%}  {results[name]['pitch_hz']:6.1f} Hz", flush=True)
    distances = likeness(spoken, references, engine.sample_rate_hz)
    print(json.dumps(distances, indent=1))
    report = {
        "machine": machine(),
        "instruct": chosen.instruct,
        "espeak_alone": baseline,
        "voices": results,
        "colour_distance": distances,
    }
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
