"""What can go wrong at the request of a person or a program: few typed errors, mapped once per edge.

Messages are lazily translated; the edge renders them in the language of whoever asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    Text = str | Promise


class PortalError(Exception):
    """``code`` is one of PROTOCOL's words; ``fields`` maps a field's name to what is wrong with it."""

    code = "bad_request"
    http_status = 400

    def __init__(self, message: Text, *, hint: Text = "", fields: Mapping[str, Text] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = dict(fields or {})


class InvalidInput(PortalError):
    http_status = 422


class NotFound(PortalError):
    """Also for what exists but may not be seen."""

    code = "not_found"
    http_status = 404


class Forbidden(PortalError):
    code = "forbidden"
    http_status = 403


class NotNow(PortalError):
    """A command that the job's status does not accept."""

    http_status = 409


class TooLarge(PortalError):
    code = "too_large"
    http_status = 413


class RateLimited(PortalError):
    code = "rate_limited"
    http_status = 429
