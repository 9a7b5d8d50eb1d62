"""Commands to a job: asked by a person, applied by its worker. Two facts, both stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from synthesis.accounts import audit
from synthesis.errors import InvalidInput, NotNow
from synthesis.events import facts, push
from synthesis.events.record import record
from synthesis.jobs import lifecycle, spec
from synthesis.jobs.lifecycle import Claim
from synthesis.jobs.states import ACCEPTED_IN
from synthesis.models import Control, Job, Segment, User, Voice
from synthesis.vocabulary import Command, Status

CHANGES_SEGMENTS = frozenset({Command.SPEED, Command.VOICE, Command.INSTRUCT})


def ask(job: Job, command: object, value: object, *, by: User, address: str | None, redo: object = None) -> Job:
    """Steer a job; raises InvalidInput or NotNow and then leaves nothing behind but the audit entry.

    ``redo``: with a change of speed, voice or instruction, the segment that is being made is made again with it.
    What needs no worker is done when this returns. A cancel that is accepted holds: the job cannot complete any more.
    """
    order = _command(command)
    # Without the value: it is unchecked, and may be a text. What was accepted is in the control's own row.
    audit.record("job.control", actor=by, target=job, address=address, detail={"command": order})
    if job.status not in ACCEPTED_IN[order]:
        raise _not_now(job, order)
    checked = _VALUES[order](value, by) if order in _VALUES else None
    again = _redo(redo, order)
    with transaction.atomic():
        control = Control.objects.create(job=job, command=order, value=checked, redo=again, asked_by=by)
        asked = facts.ControlAsked(
            command=order, value=checked, by=control.by, redo=again, voice_name=control.voice_name()
        )
        changes: dict[str, Any] = {"cancel_asked_at": timezone.now()} if order is Command.CANCEL else {}
        # This UPDATE keeps the job's row ours until the commit: its status cannot change under what follows.
        held = record(Job.objects.filter(status__in=ACCEPTED_IN[order]), job.pk, [asked], **changes)
        if held is None:
            # It ended between our look and now; the transaction takes the control row back.
            raise _not_now(Job.objects.get(pk=job.pk), order)
        _act_now(held, control, order)
    return Job.objects.select_related("voice").get(pk=job.pk)


def pending(claim: Claim) -> list[Control]:
    """What was asked of a job and is not applied yet, in order."""
    waiting = Control.objects.pending().filter(job_id=claim.job_id)
    return list(waiting.select_related("asked_by").order_by("id"))


def apply(claim: Claim, control: Control, from_segment: int) -> None:
    """Let a change of speed, voice or instruction hold from a segment on; raises LeaseLost."""
    with transaction.atomic():
        _apply_to_segments(control, from_segment)
        lifecycle.note(claim, [_applied(control, from_segment)])


def mark_applied(job_id: str, command: Command, from_segment: int | None = None) -> None:
    """Every pending control of this kind is done, by a change of the job's status that has its own event.

    All of them: a second pause that stayed pending would pause the job again after it is resumed.
    """
    same = Control.objects.pending().filter(job_id=job_id, command=command)
    same.update(applied_at=timezone.now(), from_segment=from_segment)


def _act_now(job: Job, control: Control, order: Command) -> None:
    """What needs no worker is done at once, in the transaction that holds the job's row."""
    if order is Command.PRIORITY:
        Control.objects.filter(pk=control.pk).update(applied_at=timezone.now())
        record(Job.objects.all(), job.pk, [_applied(control, None)], priority=control.value)
        transaction.on_commit(push.queue_changed)
    elif order in CHANGES_SEGMENTS:
        _change_segments(job, control)
    elif order is Command.RESUME:
        mark_applied(job.pk, order)
        lifecycle.resume(job)
    elif job.status != Status.RUNNING:
        mark_applied(job.pk, order)
        waiting = lifecycle.cancel_waiting if order is Command.CANCEL else lifecycle.pause_waiting
        waiting(job.pk, control.by)


def _change_segments(job: Job, control: Control) -> None:
    """A job that waits is changed at once; a running one by its worker, between two looks of the engine."""
    unmade = Segment.objects.filter(job=job, audio_path="").order_by("index").values_list("index", flat=True)
    first = unmade.first()
    if first is None:
        problem = _("All segments of this job are made; there is nothing left that this could change.")
        raise NotNow(problem, fields={"command": problem})
    if job.status != Status.RUNNING:
        _apply_to_segments(control, first)
        record(Job.objects.all(), job.pk, [_applied(control, first)])


def _apply_to_segments(control: Control, from_segment: int) -> None:
    """Segments carry what they are to be made with: a change is an UPDATE of those still to come."""
    column = {Command.SPEED: "speed", Command.INSTRUCT: "instruct", Command.VOICE: "voice_id"}[Command(control.command)]
    rest = Segment.objects.filter(job_id=control.job_id, index__gte=from_segment, audio_path="")
    rest.update(**{column: control.value})
    Control.objects.filter(pk=control.pk).update(applied_at=timezone.now(), from_segment=from_segment)


def _applied(control: Control, from_segment: int | None) -> facts.ControlApplied:
    return facts.ControlApplied(
        command=control.command,
        value=control.value,
        by=control.by,
        redo=control.redo,
        voice_name=control.voice_name(),
        from_segment=from_segment,
    )


def _command(word: object) -> Command:
    try:
        return Command(str(word))
    except ValueError:
        problem = _("This must be one of: %(words)s.") % {"words": ", ".join(Command)}
        raise InvalidInput(problem, fields={"command": problem}) from None


def _not_now(job: Job, order: Command) -> NotNow:
    problem = _("A job that is %(status)s cannot take the command “%(command)s”.") % {
        "status": job.get_status_display(),
        "command": order,
    }
    return NotNow(problem, fields={"command": problem})


def _redo(value: object, order: Command) -> bool:
    """The flag as a control command carries it; raises InvalidInput naming ``redo``."""
    if value is None:
        return False
    if not isinstance(value, bool):
        problem = _("This must be true or false.")
        raise InvalidInput(problem, fields={"redo": problem})
    if value and order not in CHANGES_SEGMENTS:
        problem = _("Only a change of speed, voice or instruction can make a segment again.")
        raise InvalidInput(problem, fields={"redo": problem})
    return value


def _voice_id(value: object, by: User) -> str:
    voice: Voice = spec.voice_value(value, by)
    return voice.pk


_VALUES: dict[Command, Callable[[object, User], Any]] = {
    Command.SPEED: lambda value, _by: spec.speed_value(value),
    Command.INSTRUCT: lambda value, _by: spec.instruct_value(value),
    Command.PRIORITY: lambda value, _by: spec.priority_value(value),
    Command.VOICE: _voice_id,
}
