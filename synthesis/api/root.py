"""The API: what is mounted at ``/api/``, OpenAI's addresses at ``/v1/``, and the health checks beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import JSONRenderer

from synthesis.api import again, batches, errors, health, jobs, keys, seeds, sound, speech, system, text, voices
from synthesis.api.auth import ApiKeyAuth, SessionAuth

View = Callable[..., HttpResponse]

DESCRIPTION = """\
Everything the portal's pages do, for programs.

**Authentication:** `Authorization: Bearer <API key>` (make one on the account page), or the login session of a
browser, which then needs the `X-CSRFToken` header for everything but `GET`.

**Errors** have one shape, `{"error": {"code", "message", "hint", "fields"}}`. `message`, `hint` and `fields` are in
the language of `Accept-Language` (Chinese or English); `code` is never translated.

**Live progress** comes over the WebSocket at `/ws/`; `GET /api/v1/jobs/{id}/events` has the same frames.
"""


class ObjectParser(Parser):
    """Ninja would read ``[]`` or ``"text"`` as an object without attributes."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        body = super().parse_body(request)
        if not isinstance(body, dict):
            raise TypeError("not a JSON object")  # Ninja makes it a 400
        return body


class PlainRenderer(JSONRenderer):
    """Chinese as Chinese: half the bytes, and readable in a terminal."""

    json_dumps_params: Mapping[str, Any] = MappingProxyType({"ensure_ascii": False})


class PortalApi(NinjaAPI):
    """Answers in the one error shape where Ninja leaves it to Django: wrong methods and unknown addresses."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _in_our_shape(pattern.callback)
        return [*patterns, re_path("", csrf_exempt(_nothing_here), name="nowhere")], app, namespace


def _in_our_shape(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return _nothing_here(request)
        if isinstance(response, HttpResponseNotAllowed):
            refusal = errors.respond(errors.wrong_method())
            refusal["Allow"] = response["Allow"]
            return refusal
        return response

    return wrapped


def _nothing_here(request: HttpRequest) -> HttpResponse:
    return errors.respond(errors.unknown_address())


class SpeechApi(PortalApi):
    """The addresses of OpenAI's clients; of them, only speech takes its time."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern) and pattern.name == "speech":
                pattern.callback = sound.when_spoken(pattern.callback)
        return patterns, app, namespace


def _with_our_ways(kind: type[PortalApi], namespace: str, **more: Any) -> PortalApi:
    """Who may call, what a body is, and how answers and errors look: the same for both."""
    made = kind(
        title="cosyweb",
        version=settings.VERSION,
        urls_namespace=namespace,
        auth=[ApiKeyAuth(), SessionAuth()],
        parser=ObjectParser(),
        renderer=PlainRenderer(),
        **more,
    )
    errors.install(made)
    return made


api = _with_our_ways(PortalApi, "api", description=DESCRIPTION)
for _prefix, _router in (
    ("/v1/jobs", jobs.router),
    ("/v1/jobs", again.router),
    ("/v1/batches", batches.router),
    ("/v1/voices", voices.router),
    ("/v1/text", text.router),
    ("/v1/seeds", seeds.router),
    ("/v1/keys", keys.router),
    ("/v1/system", system.router),
):
    api.add_router(_prefix, _router)


speech_api = _with_our_ways(SpeechApi, "openai", docs_url=None, openapi_url=None)
speech_api.add_router("", speech.router)

health_urls = health.urls
