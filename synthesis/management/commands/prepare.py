"""``manage.py prepare``: brings the data directory up to date. Harmless to run again."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from cosyweb import translations
from synthesis.models import User, Voice


class Command(BaseCommand):
    help = "Make directories, database, translations, static files, the first administrator and ready-made voices."

    def handle(self, *args: Any, **options: Any) -> None:
        for directory in (
            settings.DATA_DIR,
            settings.RUN_DIR,
            settings.LOG_DIR,
            settings.MEDIA_ROOT,
            settings.CACHE_DIR,
        ):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        translations.compile_stale(settings.LOCALE_PATHS)
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        self._first_administrator()
        if not Voice.objects.filter(origin=Voice.Origin.READY_MADE).exists():
            self.stdout.write("Making the ready-made voices …")
            call_command("addvoices", verbosity=0)

    def _first_administrator(self) -> None:
        if User.objects.filter(is_superuser=True).exists():
            return
        password = settings.ENVIRONMENT.admin_password
        if not password:
            password = secrets.token_urlsafe(12)
            path = settings.DATA_DIR / "admin-password"
            path.touch(mode=0o600)
            path.write_text(password + "\n")
        User.objects.create_superuser("admin", password=password)
