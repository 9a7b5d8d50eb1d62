"""Objects by their public id. What may not be seen does not exist."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from synthesis.errors import Forbidden, NotFound
from synthesis.models import Batch, Job, User, Voice

_ID = re.compile(r"[0-9a-z]{1,16}")


def job(user: User, job_id: str) -> Job:
    """With its voice and owner; raises NotFound."""
    rows = Job.objects.visible_to(user).select_related("voice", "owner", "batch")
    found = rows.filter(pk=job_id).first() if _ID.fullmatch(job_id) else None
    if found is None:
        raise NotFound(_("This job does not exist."))
    return found


def batch(user: User, batch_id: str) -> Batch:
    """With its owner; raises NotFound."""
    rows = Batch.objects.visible_to(user).select_related("owner")
    found = rows.filter(pk=batch_id).first() if _ID.fullmatch(batch_id) else None
    if found is None:
        raise NotFound(_("This batch does not exist."))
    return found


def voice(user: User, voice_id: str) -> Voice:
    """With its owner; raises NotFound."""
    rows = Voice.objects.visible_to(user).select_related("owner")
    found = rows.filter(pk=voice_id).first() if _ID.fullmatch(voice_id) else None
    if found is None:
        raise NotFound(_("This voice does not exist."))
    return found


def editable_voice(user: User, voice_id: str) -> Voice:
    """Raises NotFound, or Forbidden for a voice that may be used but not changed."""
    found = voice(user, voice_id)
    if not Voice.objects.editable_by(user).filter(pk=found.pk).exists():
        raise Forbidden(_("Only its owner can change this voice."))
    return found
