"""``manage.py worker``: a long-lived synthesis worker."""

from __future__ import annotations

import faulthandler
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from synthesis.jobs import liveness, queue


class Command(BaseCommand):
    help = "Run one synthesis worker: loads its engine once, then takes jobs until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--number", type=int, default=0, help="Which of this machine's workers it is.")

    def handle(self, *args: Any, number: int, **options: Any) -> None:
        # Imported here: manage.py loads every command's module for its help, and these load torch.
        from synthesis.worker.caretaker import Caretaker  # noqa: PLC0415
        from synthesis.worker.companion import companions  # noqa: PLC0415
        from synthesis.worker.process import SynthesisWorker  # noqa: PLC0415
        from synthesis.worker.runtime import Runtime, install  # noqa: PLC0415

        # What a crash in C code prints ends up in the log of the job it happened in (worker/spool.py).
        faulthandler.enable()
        runtime = Runtime(number)
        install(runtime)
        liveness.hold(runtime.name)
        tickets = queue.for_worker()
        # One queue: RQ then moves a ticket atomically and cannot lose it. Short TTLs: maintenance runs often.
        worker = SynthesisWorker(
            [tickets],
            name=runtime.name,
            connection=tickets.connection,
            serializer=tickets.serializer,
            worker_ttl=60,
            maintenance_interval=30,
        )
        worker.runtime = runtime
        caretaker = Caretaker(runtime)
        try:
            # Until RQ's own handlers stand: loading an engine must be interruptible in good order.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            runtime.succeed()
            caretaker.start()
            if runtime.ready():
                with companions(runtime):
                    worker.work(logging_level="WARNING")
        finally:
            if caretaker.is_alive():
                caretaker.end()
            runtime.leave()
