"""The embedded engine, loaded once, and jobs performed with it in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synthesis.engines import catalogue
from synthesis.engines.base import Engine
from synthesis.jobs import lifecycle, spec
from synthesis.models import Job, User, Voice
from synthesis.worker.performance import Performance
from tests.engines.tiny_cosyvoice3 import write_model

LONG = (
    "The first sentence of this text is about the weather in the north. "
    "The second one tells of a long walk along the river bank. "
    "And the third one, which is the last, brings everybody home again."
)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return catalogue.load_engine("embedded", cache_dir=tmp_path_factory.mktemp("features"), model_dir=None)


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random CosyVoice 3."""
    golden = Path(__file__).parents[2] / "parity" / "golden"
    return write_model(tmp_path_factory.mktemp("tiny"), golden)


@pytest.fixture
def preset(voice: Voice) -> Voice:
    """A voice that the engine knows by itself."""
    voice.preset = "alice"
    voice.save()
    return voice


Submit = Callable[..., Job]
Perform = Callable[[], Job]


@pytest.fixture
def submit(owner: User, preset: Voice) -> Submit:
    def submit(text: str = LONG, **raw: object) -> Job:
        return lifecycle.submit(spec.validate({"text": text, **raw}, user=owner), owner=owner, address=None)

    return submit


@pytest.fixture
def perform(engine: Engine) -> Perform:
    """Claim the next job and perform it; the job as it then is."""

    def perform(stopping: Callable[[], bool] = lambda: False) -> Job:
        claim = lifecycle.claim_next("test-worker")
        assert claim
        Performance(claim, engine, stopping).run()
        return Job.objects.select_related("voice").get(pk=claim.job_id)

    return perform


@pytest.fixture
def while_running() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Run something in a thread beside a performance; its failure fails the test."""
    threads: list[threading.Thread] = []
    failures: list[BaseException] = []

    def start(work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except BaseException as problem:
                failures.append(problem)
                raise

        threads.append(threading.Thread(target=guarded))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(30)
    assert not failures


def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; fail if it does not in time."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "this never came"
        time.sleep(0.01)  # between two looks; the deadline bounds it


def wav_bytes(job: Job, media: Path) -> list[bytes]:
    return [(media / segment.audio_path).read_bytes() for segment in job.segments.order_by("index")]
