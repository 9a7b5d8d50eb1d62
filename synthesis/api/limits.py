"""A light limit on how often one person may change something, so that a runaway script is stopped early."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

WINDOW_S = 60


class PerUser(BaseThrottle):
    """``limit`` requests a minute.

    Not Ninja's own: that one keeps the history of the current request on the object that all threads share.
    """

    def __init__(self, scope: str, limit: int) -> None:
        self._scope = scope
        self._limit = limit

    def allow_request(self, request: HttpRequest) -> bool:
        key = f"api:{self._scope}:{request.user.pk}:{int(time.time() // WINDOW_S)}"
        # Twice the window: the entry must not expire between the two lines.
        return cache.add(key, 1, timeout=2 * WINDOW_S) or cache.incr(key) <= self._limit

    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S
