"""For supervisors and load balancers: no login, no translation, no cache."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from synthesis.monitor import health


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """It can do its work: database, Redis and at least one live worker."""
    checks = health.ready()
    able = all(checks.values())
    return JsonResponse({"status": "ok" if able else "unavailable", "checks": checks}, status=200 if able else 503)


urls = [path("healthz", alive, name="healthz"), path("readyz", ready, name="readyz")]
