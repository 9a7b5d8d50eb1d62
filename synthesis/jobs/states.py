"""The state machine of a job, as data."""

from synthesis.vocabulary import Command, Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.PAUSED, Status.CANCELLED, Status.FAILED}),
    # back to QUEUED: the worker died or was stopped; the job keeps its finished segments
    Status.RUNNING: frozenset({Status.QUEUED, Status.PAUSED, Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
    Status.PAUSED: frozenset({Status.QUEUED, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}

ACCEPTED_IN: dict[Command, frozenset[Status]] = {
    Command.PAUSE: frozenset({Status.QUEUED, Status.RUNNING}),
    Command.RESUME: frozenset({Status.PAUSED}),
    Command.CANCEL: frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED}),
    Command.SPEED: frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED}),
    Command.VOICE: frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED}),
    Command.INSTRUCT: frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED}),
    Command.PRIORITY: frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED}),
}
"""Which statuses accept which command."""


def sources_of(target: Status) -> frozenset[Status]:
    """The statuses from which ``target`` can be reached."""
    return frozenset(source for source, targets in TRANSITIONS.items() if target in targets)
