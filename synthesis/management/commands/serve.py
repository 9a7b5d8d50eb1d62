"""``manage.py serve``: the web server."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serve pages, API and sockets with daphne at COSYWEB_HOST:COSYWEB_PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        # Imported here: daphne installs Twisted's reactor when it is imported.
        from cosyweb.asgi import application  # noqa: PLC0415
        from cosyweb.server import serve  # noqa: PLC0415
        from synthesis.jobs.recovery import Patrol  # noqa: PLC0415
        from synthesis.monitor.sampler import Sampler  # noqa: PLC0415

        Patrol().start()
        Sampler().start()
        serve(application, settings.ENVIRONMENT.host, settings.ENVIRONMENT.port)
