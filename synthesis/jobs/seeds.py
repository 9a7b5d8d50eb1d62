"""Seeds of segments, derived from the job's seed alone."""

import hashlib
from collections.abc import Set as AbstractSet

from synthesis.jobs.spec import MAX_SEED

LOOKED_AT = 200
"""How many seeds after the job's own are tried before they begin again."""


def segment_seed(job_seed: int, index: int) -> int:
    """The seed of one segment: 63 bits of SHA-256, so that neighbouring job seeds share nothing."""
    digest = hashlib.sha256(f"cosyweb segment {job_seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def piece_seed(seed: int, index: int) -> int:
    """The seed of one piece of a segment whose own seed is ``seed``, for a segment made in smaller pieces."""
    digest = hashlib.sha256(f"cosyweb piece {seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def next_seed(job_seed: int, index: int, used: AbstractSet[int]) -> int:
    """The seed after the last one whose segment seed is among ``used``: s, s+1, s+2 …, as takes count."""
    tries = [(job_seed + step) % (MAX_SEED + 1) for step in range(LOOKED_AT)]
    last = max((at for at, seed in enumerate(tries) if segment_seed(seed, index) in used), default=0)
    return tries[(last + 1) % LOOKED_AT]
