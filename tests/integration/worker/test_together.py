"""Several jobs of one worker, decoded in one batch: each says what it says alone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import connection

from synthesis.engines import catalogue
from synthesis.engines.base import Engine
from synthesis.jobs import lifecycle, steering
from synthesis.models import Job, User
from synthesis.vocabulary import Status
from synthesis.worker.performance import Performance
from tests.integration.worker.conftest import Submit, wav_bytes
from tests.integration.worker.test_performance import check_ledger

pytestmark = pytest.mark.django_db(transaction=True)

TEXTS = ("第一句话很短。", "The second one is English.", "第三句话也不长，不过还有一些话要说。")


@pytest.fixture(scope="module")
def engine(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    choices = {"device": "cpu", "rows": 2, "keep_least": True}
    return catalogue.load_engine(
        "cosyvoice3", cache_dir=tmp_path_factory.mktemp("together"), model_dir=model_dir, **choices
    )


def perform_all(engine: Engine, threads: int) -> None:
    """Perform what waits, so many at the same time."""

    def work() -> None:
        try:
            while claim := lifecycle.claim_next("test-worker"):
                Performance(claim, engine, lambda: False).run()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def test_each_says_what_it_says_alone(engine: Engine, submit: Submit, media: Path) -> None:
    """Also with more jobs than rows: the third waits for a row in the middle of the others."""
    alone = [submit(text, seed=seed).pk for seed, text in enumerate(TEXTS)]
    perform_all(engine, threads=1)
    together = [submit(text, seed=seed).pk for seed, text in enumerate(TEXTS)]
    perform_all(engine, threads=3)
    for one, other in zip(alone, together, strict=True):
        first, second = Job.objects.get(pk=one), Job.objects.get(pk=other)
        assert (first.status, second.status) == (Status.COMPLETED, Status.COMPLETED)
        check_ledger(second)
        assert wav_bytes(second, media) == wav_bytes(first, media)
    assert first.fingerprint["precision"] == "float32, rows: 2, least length kept"


def test_a_cancel_ends_one_of_them_alone(engine: Engine, submit: Submit, owner: User) -> None:
    goes_on = submit("这一句话有一些长，说起来要很久。" * 6, seed=1)
    cancelled = submit("这一句话有一些长，说起来要很久。" * 60, seed=2)

    def cancel() -> None:
        while Job.objects.get(pk=cancelled.pk).stage != "acoustic":
            pass
        steering.ask(Job.objects.get(pk=cancelled.pk), "cancel", None, by=owner, address=None)
        connection.close()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    perform_all(engine, threads=2)
    canceller.join()
    assert Job.objects.get(pk=cancelled.pk).status == Status.CANCELLED
    assert Job.objects.get(pk=goes_on.pk).status == Status.COMPLETED
