"""Where a request came from."""

from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The address of the peer. A proxy in front is the web server's to resolve (docs/configuration.md)."""
    return request.META.get("REMOTE_ADDR") or None
