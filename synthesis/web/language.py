"""Pages in the language a person has chosen: it goes with them to every browser, the cookie stays in one."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.views import i18n

from synthesis.accounts import language
from synthesis.models import User


class LanguageMiddleware(MiddlewareMixin):
    """What ``LocaleMiddleware`` chose before it was known who asks gives way to the person's own choice.

    Programs with an API key have no session: they are answered in the language of ``Accept-Language``.
    """

    def process_request(self, request: HttpRequest) -> None:
        if isinstance(request.user, User) and request.user.language:
            accepted = request.headers.get("Accept-Language", "")
            translation.activate(language.choose(request.COOKIES, accepted, request.user.language))
            request.LANGUAGE_CODE = translation.get_language()


def set_language(request: HttpRequest) -> HttpResponseBase:
    """Django's own, which sets the cookie; the choice of who is logged in is stored too."""
    wish = request.POST.get("language", "")
    if isinstance(request.user, User) and wish in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=wish)
    return i18n.set_language(request)
