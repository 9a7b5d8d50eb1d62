"""Seeds of segments, derived from the job's seed alone."""

import hashlib


def segment_seed(job_seed: int, index: int) -> int:
    """The seed of one segment: 63 bits of SHA-256, so that neighbouring job seeds share nothing."""
    digest = hashlib.sha256(f"cosyweb segment {job_seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def piece_seed(seed: int, index: int) -> int:
    """The seed of one piece of a segment whose own seed is ``seed``, for a segment made in smaller pieces."""
    digest = hashlib.sha256(f"cosyweb piece {seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
