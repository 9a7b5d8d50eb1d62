"""Batches as a whole: how far they are, and commands to all of their jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from synthesis.accounts import audit
from synthesis.errors import InvalidInput, NotNow
from synthesis.jobs import spec, steering
from synthesis.jobs.states import ACCEPTED_IN
from synthesis.models import Batch, Job, User
from synthesis.vocabulary import ENDED, Command

COMMANDS = (Command.CANCEL, Command.PAUSE, Command.RESUME, Command.PRIORITY)
"""What a whole batch takes. Speed, voice and instruction belong to one text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How many jobs took a command, and how many could not: they have ended, or are in it already."""

    taken: int
    refused: int


def jobs_of(batch: Batch) -> list[Job]:
    """In the order in which they were asked for, with their voices."""
    return list(batch.jobs.select_related("voice", "owner").order_by("created_at", "id"))


def progress_of(jobs: Sequence[Job]) -> float:
    """0 to 1, by the length of the texts; what has ended, in whatever way, is done with."""
    total = sum(len(job.text) for job in jobs)
    done = sum(len(job.text) * (1.0 if job.status in ENDED else job.progress) for job in jobs)
    return done / total if total else 1.0


def control(batch: Batch, command: object, value: object, *, by: User, address: str | None) -> Answer:
    """Ask every job that can take it, each by the rules of ``steering``; raises InvalidInput."""
    order = _command(command)
    if order is Command.PRIORITY:
        spec.priority_value(value)
    jobs = jobs_of(batch)
    # From the end: or a worker would start the next one while we stop the one before.
    able = [job for job in reversed(jobs) if job.status in ACCEPTED_IN[order]]
    if order is Command.RESUME:
        able.reverse()
    taken = sum(_ask(job, order, value, by, address) for job in able)
    detail = {"command": order, "taken": taken, "refused": len(jobs) - taken}
    audit.record("batch.control", actor=by, target=batch, address=address, detail=detail)
    return Answer(taken, len(jobs) - taken)


def _ask(job: Job, order: Command, value: object, by: User, address: str | None) -> bool:
    try:
        steering.ask(job, order, value, by=by, address=address)
    except NotNow:  # it ended while we asked the others
        return False
    return True


def _command(word: object) -> Command:
    if str(word) in set(COMMANDS):
        return Command(str(word))
    problem = _("This must be one of: %(words)s.") % {"words": ", ".join(COMMANDS)}
    raise InvalidInput(problem, fields={"command": problem})
