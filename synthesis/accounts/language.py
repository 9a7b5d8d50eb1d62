"""Which language a reader wants, where there is no Django request (sockets, early refusals)."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header


def choose(cookies: Mapping[str, str], accept_language: str, preferred: str = "") -> str:
    """The person's own choice, else the cookie of the language switch, else what the browser asks for."""
    wishes = [preferred, cookies.get(settings.LANGUAGE_COOKIE_NAME, "")]
    wishes += [code for code, _quality in parse_accept_lang_header(accept_language)]
    for wish in filter(None, wishes):
        try:
            return translation.get_supported_language_variant(wish)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
