"""``manage.py launch``: what ``./run.sh`` ends in. Prepares the data directory and becomes the supervisor."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from cosyweb import supervision


class Command(BaseCommand):
    help = "Prepare everything, then run Redis, web server and workers under the supervisor until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        self._check_port()
        call_command("prepare", verbosity=options["verbosity"])
        config = supervision.write()
        supervisord = Path(sys.executable).with_name("supervisord")
        sys.stdout.flush()
        # Becomes the supervisor: one process fewer, and Ctrl-C reaches it directly.
        os.execv(sys.executable, [sys.executable, str(supervisord), "-c", str(config)])  # noqa: S606

    def _check_port(self) -> None:
        host, port = settings.ENVIRONMENT.host, settings.ENVIRONMENT.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as problem:
                raise CommandError(
                    f"Cannot listen on {host}:{port}: {problem.strerror}. Is cosyweb running already? "
                    "Another port: COSYWEB_PORT=8001 ./run.sh"
                ) from None
