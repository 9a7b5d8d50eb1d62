"""The vocabulary of events: one dataclass for each kind of fact about a job.

``data`` of the stored row is the dataclass's fields; texts for people are made when a frame is
rendered (events/wire.py), in the language of whoever reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from synthesis.vocabulary import Level, Stage, Status


@dataclass(frozen=True, slots=True)
class Fact:
    """What all facts share: the job's status when it happened, and a level if it is a log line too."""

    kind: ClassVar[str]
    status: ClassVar[Status]
    level: ClassVar[Level | None] = None

    def data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Queued(Fact):
    kind = "queued"
    status = Status.QUEUED
    seed: int
    position: int
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class Started(Fact):
    kind = "started"
    status = Status.RUNNING
    level = Level.INFO
    worker: str
    engine: str
    attempt: int
    segments: int


@dataclass(frozen=True, slots=True)
class Progressed(Fact):
    """``step`` of ``total`` is the unit people read; ``progress`` (0 to 1) moves within a step too."""

    kind = "progress"
    status = Status.RUNNING
    stage: Stage
    step: int
    total: int
    progress: float
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class Logged(Fact):
    """A log line: an engine's own words (``message``), or one of ours by ``code`` and ``values``."""

    kind = "log"
    status = Status.RUNNING
    severity: Level
    stage: Stage | None
    message: str = ""
    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChunkSpoken(Fact):
    """Samples ``start`` to ``end`` of a segment that is still being made; they will be the segment's own."""

    kind = "chunk"
    status = Status.RUNNING
    index: int
    start: int
    end: int
    peaks: list[int] = field(default_factory=list)
    """Rows of before do not have them."""


@dataclass(frozen=True, slots=True)
class SegmentFinished(Fact):
    kind = "segment"
    status = Status.RUNNING
    index: int
    total: int
    text: str
    duration_s: float
    compute_s: float
    peaks: list[int]
    sha256: str = ""
    odd: str | None = None
    """Of text.duration.OddLength: its length does not fit its text."""


@dataclass(frozen=True, slots=True)
class ControlAsked(Fact):
    """The status it happened in varies: see ``record``."""

    kind = "control"
    status = Status.RUNNING
    command: str
    value: Any
    by: str
    redo: bool = False
    """Also for the segment that is being made."""
    state: str = "asked"
    from_segment: int | None = None
    voice_name: str = ""
    """Of the command ``voice``, as the voice was called then; rows of before do not have it."""


@dataclass(frozen=True, slots=True)
class ControlApplied(ControlAsked):
    state: str = "applied"


@dataclass(frozen=True, slots=True)
class ControlLapsed(ControlAsked):
    """The job ended before it could be done."""

    state: str = "lapsed"


@dataclass(frozen=True, slots=True)
class Redone(Fact):
    """A finished segment is to be made again; the job is paused, or a new version that waits."""

    kind = "redo"
    status = Status.PAUSED
    level = Level.INFO
    index: int
    by: str
    seed: int
    """As a job's seed: the segment's own is derived from it."""
    text: str
    speed: float
    instruct: str
    voice: str
    changed: list[str]
    """Which of these are not as they were."""
    source: str
    """The job whose segment it was."""


@dataclass(frozen=True, slots=True)
class Verified(Fact):
    """A replay has the same samples as the job ``of`` which it is one."""

    kind = "verified"
    status = Status.RUNNING
    level = Level.INFO
    of: str
    identical: bool
    segment: int | None
    compared: int
    changed: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Deviated(Verified):
    """It has not."""

    level = Level.WARNING


@dataclass(frozen=True, slots=True)
class Paused(Fact):
    kind = "paused"
    status = Status.PAUSED
    level = Level.INFO
    by: str


@dataclass(frozen=True, slots=True)
class Requeued(Fact):
    """Back in the queue with its finished segments: resumed by a person, or its worker went away."""

    kind = "requeued"
    status = Status.QUEUED
    level = Level.WARNING
    reason: str
    """``resumed``, ``worker_lost`` or ``worker_stopped``."""
    attempt: int


@dataclass(frozen=True, slots=True)
class Completed(Fact):
    kind = "completed"
    status = Status.COMPLETED
    level = Level.INFO
    output: str
    """Name of the main output file."""
    seed: int
    duration_s: float
    compute_s: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Failed(Fact):
    kind = "failed"
    status = Status.FAILED
    level = Level.ERROR
    stage: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Cancelled(Fact):
    kind = "cancelled"
    status = Status.CANCELLED
    level = Level.INFO
    by: str
