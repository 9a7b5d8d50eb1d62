"""Requests of several threads, decoded in one batch by a thread beside them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from synthesis.engines.base import ShouldStop, Stopped
from synthesis.engines.cosyvoice3 import llm
from synthesis.engines.cosyvoice3.batch import Batch, Speaker, decode_together, fits
from synthesis.engines.cosyvoice3.llm import DecodeOptions, Llm, Progress, Prompt
from synthesis.engines.cosyvoice3.sampling import Sampler

logger = logging.getLogger(__name__)

CAPACITY = 2048
"""Positions of a row: a prompt of 30 seconds and a minute of speech. A request that may need more is decoded alone."""
LOOK_EVERY_S = 0.05
"""How often one who waits for a token asks whether to stop."""


@dataclass(eq=False, slots=True)
class Seat:
    """A request in the batch, and what it has been told: tokens, then None; or what went wrong."""

    speaker: Speaker
    told: queue.SimpleQueue[int | Exception | None] = field(default_factory=queue.SimpleQueue)


class Together:
    """Decodes as ``llm.decode`` does. What a request says depends on the number of rows, never on its neighbours."""

    def __init__(self, model: Llm, rows: int, threads: int) -> None:
        """``threads`` of torch for the batch; 0: what torch has."""
        self._model = model
        self._threads = threads
        self._batch = Batch(model, rows, CAPACITY)
        self._arriving: queue.SimpleQueue[Seat | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="decode-together", daemon=True)
        self._thread.start()

    def decode(
        self, prompt: Prompt, sample: Sampler, options: DecodeOptions, progress: Progress, should_stop: ShouldStop
    ) -> Iterator[int]:
        """Speech tokens as the model says them. ``should_stop`` is asked in the caller's thread. Raises Stopped."""
        if not fits(self._batch, prompt, options):
            yield from llm.decode(self._model, prompt, sample, options, progress, should_stop)
            return
        left = threading.Event()
        seat = Seat(Speaker(prompt, sample, options, left.is_set))
        self._arriving.put(seat)
        expected, said = llm.expected_tokens(prompt, options), 0
        try:
            while (token := self._next(seat, should_stop)) is not None:
                said += 1
                progress(said, max(expected, said + 1))
                yield token
        finally:
            left.set()

    def close(self) -> None:
        """End the thread; who still speaks is told nothing more."""
        self._arriving.put(None)
        self._thread.join()

    def _next(self, seat: Seat, should_stop: ShouldStop) -> int | None:
        while True:
            if should_stop():
                raise Stopped
            try:
                told = seat.told.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            if isinstance(told, Exception):
                raise told
            return told

    def _work(self) -> None:
        if self._threads:
            torch.set_num_threads(self._threads)  # counts for each thread that calls torch
        while (first := self._arriving.get()) is not None:
            seats = {id(first.speaker): first}
            try:
                self._speak(first, seats)
            except Exception as problem:
                # Of one or of all: nobody knows whose, and the batch is void. Each job tries again or fails by itself.
                logger.exception("The batch fell apart.")
                for seat in seats.values():
                    seat.told.put(problem)

    def _speak(self, first: Seat, seats: dict[int, Seat]) -> None:
        """Until nobody speaks any more; ``seats`` holds those who do."""
        firsts = [first]

        def waiting() -> Speaker | None:
            try:
                seat = firsts.pop() if firsts else self._arriving.get_nowait()
            except queue.Empty:
                return None
            if seat is None:  # the end, once all have spoken
                self._arriving.put(None)
                return None
            seats[id(seat.speaker)] = seat
            return seat.speaker

        for speaker, token in decode_together(self._batch, waiting):
            seats[id(speaker)].told.put(token)
            if token is None:
                del seats[id(speaker)]
