"""``manage.py addvoices``: the ready-made voices, so that the first job needs no upload."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from synthesis.voices import ready_made


class Command(BaseCommand):
    help = "Add the ready-made voices that are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        for voice in ready_made.add_missing():
            self.stdout.write(f"{voice.pk}  {voice.name}")
