"""The machine's gauges, the workers, the queue."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from synthesis.monitor import gauges
from synthesis.web.session import login_required


@login_required
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    return render(request, "web/system.html", {"gauges": gauges.read()})
