"""What is heard of a segment before it is finished: its chunks, in a file that grows, each announced at once."""

from __future__ import annotations

from synthesis.audio import peaks, wav
from synthesis.engines.base import Samples
from synthesis.events import facts
from synthesis.jobs.lifecycle import Claim
from synthesis.outputs import store
from synthesis.worker.journal import Journal


class EarlySound:
    """Of one segment, as a context manager: at its end the segment is finished, or void."""

    def __init__(self, claim: Claim, index: int, journal: Journal) -> None:
        self._path = store.growing_path(claim.job_id, index, claim.attempt)
        self._index = index
        self._journal = journal
        self._end = 0

    def __enter__(self) -> EarlySound:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.restart()

    def restart(self) -> None:
        """What was heard is void: the segment begins anew."""
        store.remove(self._path)
        self._end = 0

    def add(self, samples: Samples) -> None:
        """The next samples, shape (N,). Raises OSError, LeaseLost."""
        if not len(samples):
            return
        store.append(self._path, wav.to_pcm16(samples).tobytes())
        start, self._end = self._end, self._end + len(samples)
        heights = peaks.of_speech(samples, wav.SAMPLE_RATE_HZ)
        self._journal.flush(facts.ChunkSpoken(index=self._index, start=start, end=self._end, peaks=heights))
