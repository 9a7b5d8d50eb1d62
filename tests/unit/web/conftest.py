"""Pages without collected static files, in English."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from synthesis.models import User


@pytest.fixture(autouse=True)
def plain_static(settings: Any) -> None:
    """Addresses of static files as they are in the checkout: nothing was collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]


def browser_of(user: User, language: str = "en") -> Client:
    """A browser in which somebody is logged in."""
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


@pytest.fixture
def browser(owner: User) -> Client:
    return browser_of(owner)
