"""Who calls: a login session, or an API key. Never both."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from synthesis.accounts import keys
from synthesis.api.errors import Unauthorized
from synthesis.errors import Forbidden
from synthesis.models import User


class ApiRequest(HttpRequest):
    """A request that passed one of the two below; only a type, never made."""

    auth: User
    by_key: bool


class ApiKeyAuth(HttpBearer):
    """``Authorization: Bearer <key>``. A browser cannot be tricked into sending it, so there is no CSRF check."""

    def __call__(self, request: HttpRequest) -> User | None:
        header = request.headers.get("Authorization", "")
        if not header.lower().startswith("bearer"):
            return None
        # With this header the session counts for nothing: a wrong key must not become somebody's session.
        return self.authenticate(request, keys.bearer_token(header) or "")

    def authenticate(self, request: Any, token: str) -> User:
        user = keys.user_for(token)
        if user is None:
            raise Unauthorized(_("This API key is not valid."), hint=_("It may be mistyped or revoked."))
        request.user, request.by_key = user, True
        return user


class SessionAuth(APIKeyCookie):
    """The login session of a browser; what changes something needs the CSRF token too."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> User | None:
        return self.authenticate(request, None)

    def authenticate(self, request: Any, key: str | None) -> User | None:
        user = request.user
        if not isinstance(user, User):
            return None
        if check_csrf(request) is not None:
            raise Forbidden(
                _("The page has expired."),
                hint=_("Load it again. Programs send the X-CSRFToken header, or use an API key."),
            )
        request.by_key = False
        return user
