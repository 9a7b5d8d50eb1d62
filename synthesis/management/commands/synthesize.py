"""``manage.py synthesize TEXT``: one job through the real queue, with a progress bar."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.errors import PortalError
from synthesis.jobs import lifecycle, spec
from synthesis.management import progress_bar
from synthesis.models import Output, User
from synthesis.outputs import store
from synthesis.vocabulary import AudioFormat, Status


class Command(BaseCommand):
    help = "Synthesise a text through the queue; exit status 0 if the job completed, 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text")
        parser.add_argument("--voice", default="", help="Id of a voice; default: the first ready-made one.")
        parser.add_argument("--instruct", default="")
        parser.add_argument("--seed", default="")
        parser.add_argument("--speed", default="")
        parser.add_argument("--user", default="", help="Whose job it is; default: the first administrator.")
        parser.add_argument(
            "--out", type=Path, help="Copy the audio here; the ending (.wav .flac .mp3 .ogg) is the format."
        )

    def handle(self, *args: Any, text: str, out: Path | None, user: str, **options: Any) -> None:
        owner = self._owner(user)
        audio_format = self._format(out)
        raw = {"text": text, "prompt_audio": options["voice"], "format": audio_format}
        raw |= {name: options[name] for name in ("instruct", "seed", "speed")}
        try:
            job = lifecycle.submit(spec.validate(raw, user=owner), owner=owner, address=None)
        except PortalError as problem:
            fields = "; ".join(f"{name}: {wrong}" for name, wrong in problem.fields.items())
            raise CommandError(fields or str(problem.message)) from None
        job = progress_bar.watch(job)
        if job.status != Status.COMPLETED:
            raise CommandError(f"{job.get_status_display()}: {job.error_message}")
        path = store.open_path(Output.objects.get(name=job.main_output).path)
        if out is not None:
            shutil.copyfile(path, out)
        self.stdout.write(f"{out or path}  seed {job.seed}  {job.duration_s:.1f} s")

    def _owner(self, username: str) -> User:
        wanted = User.objects.filter(is_active=True)
        wanted = wanted.filter(username=username) if username else wanted.filter(is_superuser=True)
        owner = wanted.order_by("pk").first()
        if owner is None:
            raise CommandError(f"There is no active user {username!r}." if username else "There is no administrator.")
        return owner

    def _format(self, out: Path | None) -> AudioFormat:
        ending = out.suffix.removeprefix(".").lower() if out else AudioFormat.WAV
        try:
            return AudioFormat(ending)
        except ValueError:
            raise CommandError(f"--out must end in one of: {', '.join(AudioFormat)}.") from None
