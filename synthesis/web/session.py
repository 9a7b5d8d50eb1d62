"""The logged-in person behind a request."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest

from synthesis.models import User

__all__ = ["login_required", "user_of"]


def user_of(request: HttpRequest) -> User:
    """Of a request that ``login_required`` let through."""
    if not isinstance(request.user, User):
        raise TypeError("this view needs login_required")
    return request.user
