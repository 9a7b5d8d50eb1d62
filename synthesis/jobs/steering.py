"""Commands to a job: asked by a person, applied by its worker. Two facts, both stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from synthesis.accounts import audit
from synthesis.errors import InvalidInput, NotNow
from synthesis.events import facts
from synthesis.events.record import record
from synthesis.jobs import lifecycle, spec
from synthesis.jobs.lifecycle import Claim
from synthesis.jobs.states import ACCEPTED_IN
from synthesis.models import Control, Job, Segment, User, Voice
from synthesis.vocabulary import Command

CHANGES_SEGMENTS = frozenset({Command.SPEED, Command.VOICE, Command.INSTRUCT})


def ask(job: Job, command: object, value: object, *, by: User, address: str | None) -> Job:
    """Steer a job; raises InvalidInput or NotNow and then leaves nothing behind but the audit entry."""
    order = _command(command)
    # Without the value: it is unchecked, and may be a text. What was accepted is in the control's own row.
    audit.record("job.control", actor=by, target=job, address=address, detail={"command": order})
    if job.status not in ACCEPTED_IN[order]:
        raise NotNow(
            _("A job that is %(status)s cannot take the command “%(command)s”.")
            % {"status": job.get_status_display(), "command": order}
        )
    checked = _VALUES[order](value, by) if order in _VALUES else None
    with transaction.atomic():
        control = Control.objects.create(job=job, command=order, value=checked, asked_by=by)
        asked = facts.ControlAsked(
            command=order, value=checked, by=by.get_username(), voice_name=_voice_name(order, checked)
        )
        changes: dict[str, Any] = {"cancel_asked_at": timezone.now()} if order is Command.CANCEL else {}
        if record(Job.objects.filter(status__in=ACCEPTED_IN[order]), job.pk, [asked], **changes) is None:
            # It ended between our look and now; the transaction takes the control row back.
            raise NotNow(_("The job has changed meanwhile."))
    _act_now(job, order, control, by)
    return Job.objects.select_related("voice").get(pk=job.pk)


def pending(claim: Claim) -> list[Control]:
    """What was asked of a job and is not applied yet, in order."""
    return list(Control.objects.filter(job_id=claim.job_id, applied_at=None).select_related("asked_by").order_by("id"))


def apply(claim: Claim, control: Control, from_segment: int) -> None:
    """Let a change of speed, voice, instruction or priority hold from a segment on; raises LeaseLost."""
    with transaction.atomic():
        _apply_to_rows(control, from_segment)
        applied = facts.ControlApplied(
            command=control.command,
            value=control.value,
            by=control.asked_by.get_username() if control.asked_by else "",
            from_segment=from_segment,
            voice_name=_voice_name(control.command, control.value),
        )
        lifecycle.note(claim, [applied])


def mark_applied(control: Control, from_segment: int | None = None) -> None:
    Control.objects.filter(pk=control.pk).update(applied_at=timezone.now(), from_segment=from_segment)


def _act_now(job: Job, order: Command, control: Control, by: User) -> None:
    """What needs no worker is applied at once."""
    name = by.get_username()
    if order is Command.RESUME:
        lifecycle.resume(job)
        mark_applied(control)
    elif (order is Command.CANCEL and lifecycle.cancel_waiting(job.pk, name)) or (
        order is Command.PAUSE and lifecycle.pause_waiting(job.pk, name)
    ):
        mark_applied(control)
    elif order is Command.PRIORITY:
        with transaction.atomic():
            _apply_to_rows(control, None)
            applied = facts.ControlApplied(command=order, value=control.value, by=name)
            record(Job.objects.all(), job.pk, [applied])


def _apply_to_rows(control: Control, from_segment: int | None) -> None:
    """Segments carry what they are to be made with: a change is an UPDATE of those still to come."""
    order = Command(control.command)
    rest = Segment.objects.filter(job_id=control.job_id, index__gte=from_segment or 0, audio_path="")
    if order is Command.SPEED:
        rest.update(speed=control.value)
    elif order is Command.INSTRUCT:
        rest.update(instruct=control.value)
    elif order is Command.VOICE:
        rest.update(voice_id=control.value)
    elif order is Command.PRIORITY:
        Job.objects.filter(pk=control.job_id).update(priority=control.value)
    mark_applied(control, from_segment)


def _command(word: object) -> Command:
    try:
        return Command(str(word))
    except ValueError:
        problem = _("This must be one of: %(words)s.") % {"words": ", ".join(Command)}
        raise InvalidInput(problem, fields={"command": problem}) from None


def _voice_id(value: object, by: User) -> str:
    voice: Voice = spec.voice_value(value, by)
    return voice.pk


def _voice_name(command: str, voice_id: Any) -> str:
    return Voice.objects.values_list("name", flat=True).get(pk=voice_id) if command == Command.VOICE else ""


_VALUES: dict[Command, Callable[[object, User], Any]] = {
    Command.SPEED: lambda value, _by: spec.speed_value(value),
    Command.INSTRUCT: lambda value, _by: spec.instruct_value(value),
    Command.PRIORITY: lambda value, _by: spec.priority_value(value),
    Command.VOICE: _voice_id,
}
