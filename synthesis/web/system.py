"""The gauges of every machine, the workers, the queue."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from synthesis.monitor import gauges, machine
from synthesis.monitor.past import past
from synthesis.web import warnings
from synthesis.web.session import login_required


@login_required
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    now = gauges.read()
    context = {
        "gauges": now,
        "past": past.traces(),
        "here": machine.NAME,
        "warnings": warnings.sentences(now["details"]),
    }
    return render(request, "web/system.html", context)
