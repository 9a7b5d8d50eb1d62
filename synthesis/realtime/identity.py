"""Who is at the other end of a socket, and whether a browser was sent here by our own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from asgiref.sync import sync_to_async
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.http.cookie import parse_cookie

from synthesis.accounts import keys, language, sessions
from synthesis.models import User

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Identity:
    """A user and the login session or API key that says so."""

    user: User
    language: str
    address: str | None
    session_key: str = ""
    token: str = ""

    @property
    def session(self) -> str:
        return sessions.digest(self.session_key)

    def renewed(self) -> Identity | None:
        """The same with today's user; None if the session or key no longer holds."""
        user = keys.user_for(self.token) if self.token else sessions.user_of(self.session_key)
        return replace(self, user=user) if user else None


class IdentityMiddleware:
    """Puts ``identity`` (or None) into the scope; refuses browsers whose Origin is not exactly ours."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._with_origin = OriginValidator(application, settings.ORIGINS)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        token = keys.bearer_token(headers.get(b"authorization", ""))
        identity = await sync_to_async(identify)(headers, token, scope.get("client"))
        # A browser cannot set this header on a socket, so it is no browser, and has no Origin to check.
        application = self._application if token else self._with_origin
        await application({**scope, "identity": identity}, receive, send)


def identify(headers: dict[bytes, str], token: str | None, client: Any) -> Identity | None:
    cookies = parse_cookie(headers.get(b"cookie", ""))
    session_key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    user = keys.user_for(token) if token else (sessions.user_of(session_key) if session_key else None)
    if user is None:
        return None
    return Identity(
        user=user,
        language=language.choose(cookies, headers.get(b"accept-language", ""), user.language),
        address=client[0] if client else None,
        session_key="" if token else session_key,
        token=token or "",
    )
