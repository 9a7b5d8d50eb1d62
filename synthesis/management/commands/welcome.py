"""``manage.py welcome``: waits until the portal serves, makes the welcome job, says where to go."""

from __future__ import annotations

import socket
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from synthesis.jobs import lifecycle, spec
from synthesis.management import progress_bar
from synthesis.models import Job, Output, User
from synthesis.monitor import health
from synthesis.outputs import store
from synthesis.vocabulary import Status

READY_WITHIN_S = 180.0
KEY = "welcome"
TEXT = (
    "Welcome to cosyweb. This sentence was spoken by your own machine, a moment ago. "
    "欢迎使用语音合成平台，现在请输入你的第一段文字。"
)


class Command(BaseCommand):
    help = "Wait until the portal is ready, synthesise one welcome job and print the address and the login."

    def handle(self, *args: Any, **options: Any) -> None:
        self._wait()
        owner = User.objects.filter(is_superuser=True).order_by("pk").first()
        if owner is None:
            raise CommandError("There is no administrator: run manage.py prepare.")
        job = Job.objects.filter(owner=owner, idempotency_key=KEY).first()
        if job is None:
            wanted = spec.validate({"text": TEXT, "seed": 1986}, user=owner)
            job = lifecycle.submit(wanted, owner=owner, address=None, idempotency_key=KEY)
        if not job.has_ended:
            job = progress_bar.watch(job)
        self._summary(owner, job)

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not (self._listens() and all(health.ready().values())):
            if time.monotonic() > deadline:
                missing = [name for name, well in health.ready().items() if not well]
                raise CommandError(f"Not ready after {READY_WITHIN_S:.0f} s: {missing}. See {settings.LOG_DIR}.")
            time.sleep(0.1)

    def _listens(self) -> bool:
        host = settings.ENVIRONMENT.host
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            return probe.connect_ex((host, settings.ENVIRONMENT.port)) == 0

    def _summary(self, owner: User, job: Job) -> None:
        address = f"http://{settings.ENVIRONMENT.host}:{settings.ENVIRONMENT.port}/"
        lines = [
            "",
            f"  cosyweb serves at  {address}",
            f"  user      {owner.get_username()}",
            f"  password  {self._password()}",
        ]
        if job.status == Status.COMPLETED:
            path = store.open_path(Output.objects.get(name=job.main_output).path)
            lines.append(f"  welcome   {path}")
        else:
            lines.append(f"  The welcome job is {job.status}: {job.error_message}")
        lines += [f"  logs      {settings.LOG_DIR}", "", "  Ctrl-C stops everything.", ""]
        self.stdout.write("\n".join(lines))

    def _password(self) -> str:
        """Shown once; afterwards only where it is kept."""
        kept, shown = settings.DATA_DIR / "admin-password", settings.DATA_DIR / "admin-password-shown"
        if not kept.exists():
            return "as given in COSYWEB_ADMIN_PASSWORD at the first start"
        if shown.exists():
            return f"as kept in {kept}"
        shown.touch(mode=0o600)
        return f"{kept.read_text().strip()}   (shown once; kept in {kept})"
