"""Login and logout, with what sockets and the audit need of them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse

from synthesis.accounts import audit, sessions
from synthesis.accounts.address import address_of
from synthesis.events import push
from synthesis.models import User


class PortalLoginView(LoginView):
    """Django's login; django-axes counts what fails."""

    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        user = form.get_user()
        audit.record("login", actor=user, target=user, address=address_of(self.request))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        name = str(form.data.get("username", ""))[:150]
        audit.record("login.failed", actor=None, actor_name=name, address=address_of(self.request))
        return super().form_invalid(form)


class PortalLogoutView(LogoutView):
    """Also closes the sockets of this login."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            audit.record("logout", actor=request.user, target=request.user, address=address_of(request))
            push.session_ended(sessions.digest(request.session.session_key))
        return super().post(request, *args, **kwargs)
