"""What all tests share: a real Redis, a fixed cast of people, and a whole portal in real processes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from synthesis.audio import wav
from synthesis.models import Job, Segment, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import Status
from tests.environment import DATA_DIR
from tests.portal import Portal

PASSWORD = "correct horse battery"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="DIR", help="keep the browser tests' pictures here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole portals and browsers have the machine for themselves: what they are asked about is time."""
    for item in items:
        if item.path.parent.name in {"faults", "browser"}:
            item.add_marker("alone")


def pytest_configure() -> None:
    for directory in (settings.RUN_DIR, settings.LOG_DIR, settings.MEDIA_ROOT, settings.CACHE_DIR):
        directory.mkdir(parents=True, exist_ok=True)


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[None]:
    """The same Redis that the portal embeds, for this run alone."""
    from cosyweb import supervision

    if settings.ENVIRONMENT.redis_url:
        yield
        return
    server = subprocess.Popen(
        [str(supervision.redis_server()), str(supervision.redis_config())], stdout=subprocess.DEVNULL
    )
    try:
        wait_for_redis()
        yield
    finally:
        server.terminate()
        server.wait(10)


def wait_for_redis() -> None:
    """Return when Redis answers; fail after 10 s."""
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 200)
    errors: list[type[Exception]] = [redis.exceptions.ConnectionError]
    redis.Redis.from_url(settings.REDIS_URL, retry=retry, retry_on_error=errors).ping()


@pytest.fixture(autouse=True)
def empty_redis(redis_server: None) -> None:
    """No ticket of one test reaches the next."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    """Files of one test are gone with it."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return Path(settings.MEDIA_ROOT)


@cache
def _hashed() -> str:
    """Once for all: Argon2 takes its time on purpose."""
    return make_password(PASSWORD)


def _user(name: str, **more: Any) -> User:
    return User.objects.create(username=name, password=_hashed(), **more)


@pytest.fixture
def owner(db: None) -> User:
    """Whose jobs and voices the tests are about."""
    return _user("alice")


@pytest.fixture
def teammate(db: None) -> User:
    """Another member: sees shared voices, but no job of the owner's."""
    return _user("bob")


@pytest.fixture
def administrator(db: None) -> User:
    return _user("root", is_superuser=True, is_staff=True)


def tone(
    duration_s: float = 2.0, hz: float = 160.0, rate: int = 24_000
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A harmonic tone with a gentle vibrato and pauses: passes the quality checks as speech does."""
    t = np.arange(int(duration_s * rate)) / rate
    phase = 2 * np.pi * np.cumsum(hz * (1 + 0.1 * np.sin(2 * np.pi * 1.5 * t))) / rate
    wave = sum(np.sin(k * phase) / k for k in range(1, 30))
    envelope = np.clip(np.sin(2 * np.pi * 2.0 * t) + 0.3, 0.001, 1.0)
    samples: np.ndarray[tuple[int], np.dtype[np.float32]] = (0.2 * wave * envelope).astype(np.float32)
    return samples


def make_voice(name: str = "Reference", *, owner: User | None = None, shared: bool = False, **more: Any) -> Voice:
    """A voice with a real recording."""
    voice = Voice(
        name=name,
        owner=owner,
        shared=shared,
        origin=Voice.Origin.UPLOAD if owner else Voice.Origin.READY_MADE,
        duration_s=2.0,
        source_sample_rate_hz=24_000,
        consent=True,
        **more,
    )
    voice.path = store.voice_path(voice.pk)
    with store.writing(voice.path) as path:
        wav.write_wav(path, tone())
    voice.sha256 = store.sha256(voice.path)
    voice.save(force_insert=True)
    return voice


@pytest.fixture
def voice(db: None) -> Voice:
    """A ready-made voice."""
    return make_voice("Ready")


@pytest.fixture
def make_job(voice: Voice) -> Callable[..., Job]:
    """Jobs as rows, in any state, without the queue."""

    def make(owner: User, *, status: Status = Status.QUEUED, text: str = "Hello there.", **more: Any) -> Job:
        job = Job.objects.create(
            owner=owner,
            voice=more.pop("voice", voice),
            status=status,
            text=text,
            seed=7,
            queued_at=timezone.now(),
            **more,
        )
        Segment.objects.create(
            job=job, index=0, text=text, language="en", start=0, end=len(text), seed=1, voice=job.voice
        )
        return job

    return make


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """A whole portal with a web server and a worker of its own, in real processes."""
    with tempfile.TemporaryDirectory(prefix="cosyweb-portal-") as directory:
        running = Portal(Path(directory) / "data")
        running.data_dir.mkdir()
        try:
            running.start()
            yield running
        finally:
            running.stop()
