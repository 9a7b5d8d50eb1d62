"""What every page needs: the menu, the engine's honest sentence, and the words that JavaScript shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from synthesis.jobs import spec
from synthesis.models import QueueState
from synthesis.web.messages import messages


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context processor; lazy where only some pages use it."""
    return {
        "engine_clones": settings.ENGINE == "cosyvoice3",
        "engine_sentence": _engine_sentence(),
        "javascript_messages": messages,
        "limits": {
            "text": spec.MAX_TEXT_CHARS,
            "instruct": spec.MAX_INSTRUCT_CHARS,
            "upload_bytes": settings.MAX_REFERENCE_BYTES,
        },
        "queue_pause": _queue_pause,
        "page": request.resolver_match.url_name if request.resolver_match else "",
        "version": settings.VERSION,
    }


def _queue_pause() -> str:
    """Says that the queue is paused and by whom; empty: it is not."""
    pause = QueueState.objects.paused().select_related("paused_by").first()
    if pause is None:
        return ""
    if pause.paused_by is None:
        return _("The queue is paused.")
    return _("The queue is paused by {name}.").format(name=pause.paused_by.get_username())


def _engine_sentence() -> str:
    if settings.ENGINE == "cosyvoice3":
        return _("CosyVoice 3 clones the voice you choose. Only use voices whose speakers agree.")
    return _(
        "The embedded engine takes on pitch, timbre and pace of the voice, so the result resembles it; "
        "the production engine (CosyVoice 3) clones it."
    )
