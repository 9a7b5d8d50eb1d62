"""Login sessions as sockets need them: named by a digest, and asked whether they still hold."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from synthesis.models import User


def digest(session_key: str | None) -> str:
    """A name for a session that may go over the channel layer; the key itself may not."""
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:24] if session_key else ""


def user_of(session_key: str) -> User | None:
    """Whom a session belongs to now: nobody after logout, a password change or deactivation."""
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user_id = session.get(SESSION_KEY)
    if user_id is None or BACKEND_SESSION_KEY not in session:
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    return user
