"""Callers of the API: a browser with a session, a program with a key, nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from synthesis.accounts import keys
from synthesis.audio import wav
from synthesis.models import User
from tests.conftest import tone


class Caller:
    """Sends JSON, speaks English unless told otherwise."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(headers={"Accept-Language": "en", **headers})

    def get(self, path: str, query: Any = None, **headers: str) -> Any:
        return self.client.get(path, query or {}, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        content = body if isinstance(body, str) else json.dumps(body)
        return self.client.post(path, content, content_type="application/json", headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(path, json.dumps(body), content_type="application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(path)

    def upload(self, audio: bytes | None, *, file_name: str = "me.wav", **fields: str) -> Any:
        form: dict[str, Any] = {"name": "Me", "transcript": "hello", "language": "en", "consent": "true", **fields}
        if audio is not None:
            form["audio"] = SimpleUploadedFile(file_name, audio, "audio/wav")
        return self.client.post("/api/v1/voices", form)


@pytest.fixture(autouse=True)
def no_requests_counted() -> None:
    """The limits of one test are not those of the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def plain_static(settings: Any) -> None:
    """Pages name their files without a manifest, which only a running portal has."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}


def program_of(user: User) -> Caller:
    _key, secret = keys.create(user, "test", by=user, address=None)
    return Caller(Authorization=f"Bearer {secret}")


@pytest.fixture
def program(owner: User) -> Caller:
    """The owner's script, with an API key."""
    return program_of(owner)


@pytest.fixture
def program_for() -> Callable[[User], Caller]:
    return program_of


@pytest.fixture
def browser(owner: User) -> Caller:
    """The owner's browser, logged in; its client does not enforce CSRF."""
    caller = Caller()
    caller.client.force_login(owner)
    return caller


@pytest.fixture
def nobody(db: None) -> Caller:
    return Caller()


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two good seconds as a wav file."""
    path = tmp_path_factory.mktemp("recording") / "me.wav"
    wav.write_wav(path, tone())
    return path.read_bytes()
