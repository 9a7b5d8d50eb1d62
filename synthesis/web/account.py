"""A person's own things: password, language, keys for programs, saved seeds."""

from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe

from synthesis.models import ApiKey, SavedSeed
from synthesis.web.session import login_required, user_of


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    context = {
        "keys": ApiKey.objects.filter(user=user, revoked_at=None),
        "saved_seeds": SavedSeed.objects.filter(owner=user).select_related("voice"),
    }
    return render(request, "web/account.html", context)


class PasswordView(PasswordChangeView):
    """Django's form in our clothes; other logins of the person end with the change."""

    template_name = "web/password.html"
    success_url = reverse_lazy("account")
