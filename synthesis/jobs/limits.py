"""How much one person may have in the queue at once. Administrators too: they share the same workers."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from synthesis.errors import RateLimited
from synthesis.models import Job, User
from synthesis.vocabulary import Status


def check_room(owner: User, more: int) -> None:
    """Raises RateLimited if ``more`` jobs do not fit. Call it in the transaction that stores them."""
    # Two submissions of one person wait for each other here, or both would see the same room. Not for those
    # who only refer to the person, as a worker that writes events does.
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    waiting = Job.objects.filter(owner=owner, status__in=(Status.QUEUED, Status.RUNNING)).count()
    limit = settings.MAX_QUEUED_PER_USER
    if waiting + more <= limit:
        return
    words = {"limit": limit, "waiting": waiting, "more": more}
    raise RateLimited(
        _("Everybody may have %(limit)s jobs queued or running. You have %(waiting)s; this adds %(more)s.") % words,
        hint=_("Wait until some have finished, or cancel some."),
    )
