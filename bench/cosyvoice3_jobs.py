"""What one CosyVoice 3 worker gives when several jobs run at once, on a GPU or on the processor.

    python -m bench.cosyvoice3_jobs [--device cuda] [--precision bfloat16] [--jobs 1 4 16] [--seconds 10] [--out FILE]

Full-size weights drawn on the spot, as in ``bench.cosyvoice3``. All jobs of a round begin at the same moment, each in
a thread of its own as in a worker; their language models' steps are one batch. Whole: tokens, mel, samples; then
streamed, with the recording solved before, until the first samples. Front end and portal are left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from bench.cosyvoice3 import SAMPLE_RATE_HZ, Case, Drawn, case_of, draw, rounded
from bench.machine import machine
from synthesis.engines.cosyvoice3 import llm
from synthesis.engines.cosyvoice3.config import LlmConfig
from synthesis.engines.cosyvoice3.decoder import Decoder, SpeechStream, as_tensor
from synthesis.engines.cosyvoice3.flow import FlowConfig, FlowStream
from synthesis.engines.cosyvoice3.flow_weights import load_flow
from synthesis.engines.cosyvoice3.linears import PRECISIONS, Precision
from synthesis.engines.cosyvoice3.llm_weights import assembled
from synthesis.engines.cosyvoice3.loading import suit
from synthesis.engines.cosyvoice3.sampling import RepetitionAware
from synthesis.engines.cosyvoice3.together import Together
from synthesis.engines.cosyvoice3.vocoder_layers import VocoderConfig
from synthesis.engines.cosyvoice3.vocoder_weights import load_vocoder

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("torch", "numpy")
WARM_UP_S = 1.0


class Worker:
    """The loaded models and a batch of so many rows."""

    def __init__(self, model: llm.Llm, decoder: Decoder, rows: int, threads: int) -> None:
        self.decoder = decoder
        self.threads = threads
        self.together = Together(model, rows, threads)

    def tokens(self, case: Case, seed: int) -> Iterator[int]:
        sample = RepetitionAware(torch.Generator().manual_seed(seed))
        return self.together.decode(case.prompt, sample, case.options, lambda _done, _total: None, lambda: False)

    def whole(self, case: Case, seed: int) -> float:
        """Seconds of audio."""
        torch.set_num_threads(self.threads)
        tokens = as_tensor(list(self.tokens(case, seed)))
        return len(self.decoder.speak(tokens, case.voice).cpu()) / SAMPLE_RATE_HZ

    def first_audio(self, case: Case, seed: int, solved: FlowStream) -> float:
        """Seconds until the first samples; the rest is spoken too, as it would hold others up."""
        torch.set_num_threads(self.threads)
        began, first_s, said = time.perf_counter(), 0.0, list[int]()
        stream = SpeechStream(self.decoder, case.voice, solved=solved)
        for token in self.tokens(case, seed):
            said.append(token)
            for chunk in stream.chunks(said, last=False):
                chunk.cpu()
                first_s = first_s or time.perf_counter() - began
        for chunk in stream.chunks(said, last=True):
            chunk.cpu()
        return first_s


def at_once(jobs: int, work: Callable[[int], float]) -> tuple[list[float], float]:
    """What each of the jobs gives, by its seed, and the seconds until the last has ended."""
    ready = threading.Barrier(jobs + 1)

    def one(seed: int) -> float:
        ready.wait()
        return work(seed)

    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(one, seed) for seed in range(jobs)]
        ready.wait()
        began = time.perf_counter()
        given = [job.result() for job in running]
        return given, time.perf_counter() - began


def measured(worker: Worker, jobs: int, case: Case) -> dict[str, float]:
    audio, whole_s = at_once(jobs, lambda seed: worker.whole(case, seed))
    solved = FlowStream(worker.decoder.flow, case.voice)
    solved.solve_prompt()
    first, streamed_s = at_once(jobs, lambda seed: worker.first_audio(case, seed, solved))
    return {
        "audio_s": sum(audio),
        "total_s": whole_s,
        "rtf_of_a_job": whole_s / audio[0],
        "times_real_time": sum(audio) / whole_s,
        "first_audio_median_s": statistics.median(first),
        "first_audio_last_s": max(first),
        "streamed_total_s": streamed_s,
    }


def loaded(drawn: Drawn, device: torch.device, precision: Precision) -> tuple[llm.Llm, Decoder]:
    dtype = PRECISIONS[precision]
    model = assembled(dict(drawn.llm), LlmConfig(), device, dtype)
    flow = load_flow(FlowConfig(), drawn.flow, device=device, dtype=dtype)
    suit(model, flow, precision)
    return model, Decoder(flow, load_vocoder(VocoderConfig(), drawn.vocoder, device=device))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=list(PRECISIONS), help="default: bfloat16 on a GPU, else int8")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    precision: Precision = arguments.precision or ("int8" if device.type == "cpu" else "bfloat16")
    model, decoder = loaded(draw(), device, precision)
    case, threads = case_of(arguments.seconds), torch.get_num_threads()
    result: dict[str, Any] = {
        "machine": machine(LIBRARIES),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else f"{threads} threads",
        "precision": precision,
        "seconds_of_each": arguments.seconds,
    }
    for jobs in arguments.jobs:
        worker = Worker(model, decoder, jobs, threads)
        measured(worker, jobs, case_of(WARM_UP_S))
        result[f"{jobs} at once"] = measured(worker, jobs, case)
        worker.together.close()
    text = json.dumps(rounded(result), indent=2)
    print(text)
    out = arguments.out or RESULTS / f"cosyvoice3_jobs_{device.type}.json"
    out.write_text(text + "\n")


if __name__ == "__main__":
    main()
