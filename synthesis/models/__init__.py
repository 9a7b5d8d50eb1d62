"""The entities, one file each. Rules of who may read what live in their querysets."""

from .api_key import ApiKey
from .audit_entry import AuditEntry
from .batch import Batch
from .control import Control
from .event import Event
from .job import Job
from .output import Output
from .queue_state import QueueState
from .saved_seed import SavedSeed
from .segment import Segment
from .user import User
from .voice import Voice
from .worker_state import WorkerState

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Batch",
    "Control",
    "Event",
    "Job",
    "Output",
    "QueueState",
    "SavedSeed",
    "Segment",
    "User",
    "Voice",
    "WorkerState",
]
