"""What was asked of a job too late: the job ended before it could be done, and says so."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from synthesis.events import facts
from synthesis.events.record import record
from synthesis.models import Control, Job


def lapse(where: QuerySet[Job], job_id: str) -> None:
    """Settle what is still asked of a job. To be called in the transaction that ends it, before its last event.

    ``where`` carries the conditions of that end. The job's row is taken first: who asks from now on waits for
    our commit and finds the job ended, so nothing stays asked for ever.
    """
    if not where.filter(pk=job_id).select_for_update().values_list("pk").first():
        return  # the end will not happen either
    late = list(Control.objects.pending().filter(job_id=job_id).select_related("asked_by"))
    if late:
        Control.objects.filter(pk__in=[control.pk for control in late]).update(lapsed_at=timezone.now())
        record(where, job_id, [_fact(control) for control in late])


def _fact(control: Control) -> facts.ControlLapsed:
    return facts.ControlLapsed(
        command=control.command,
        value=control.value,
        by=control.by,
        redo=control.redo,
        voice_name=control.voice_name(),
    )
