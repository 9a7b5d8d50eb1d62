"""``manage.py createapikey USER``: a new API key, alone on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.accounts import keys
from synthesis.models import User


class Command(BaseCommand):
    help = "Print a new API key for a user. It is shown once; only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", default="", help="What the key is for.")

    def handle(self, *args: Any, user: str, name: str, **options: Any) -> None:
        owner = User.objects.filter(username=user, is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active user named {user!r}.")
        _key, token = keys.create(owner, name, by=owner, address=None)
        self.stdout.write(token)
