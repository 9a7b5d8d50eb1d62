"""A tiny CosyVoice 3 that streams: chunks of a segment are announced and heard while it is being made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from synthesis.audio import wav
from synthesis.engines import catalogue
from synthesis.engines.base import Engine
from synthesis.jobs import log, replay
from synthesis.models import Event, Job, User
from synthesis.outputs import early
from synthesis.vocabulary import Status
from tests.integration.worker.conftest import Perform, Submit, until
from tests.integration.worker.test_cancel import WhileRunning, cancel_when, check_cancelled
from tests.integration.worker.test_performance import check_ledger

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "第一句话很短。第二句话也不长！The third one is English, 42 words it is not."


@pytest.fixture(scope="module")
def engine(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    choices = {"device": "cpu", "streaming": True, "keep_least": True}
    return catalogue.load_engine(
        "cosyvoice3", cache_dir=tmp_path_factory.mktemp("streamed"), model_dir=model_dir, **choices
    )


def test_chunks_are_announced_and_become_the_segment(
    submit: Submit, perform: Perform, owner: User, media: Path
) -> None:
    submit(TEXT, seed=1986)
    first = perform()
    assert first.status == Status.COMPLETED
    check_ledger(first)
    for segment in first.segments.all():
        chunks = [chunk for chunk in chunks_of(first) if chunk["index"] == segment.index]
        ends = [chunk["end"] for chunk in chunks]
        assert [chunk["start"] for chunk in chunks] == [0, *ends[:-1]]
        heights = [height for chunk in chunks for height in chunk["peaks"]]
        assert abs(len(heights) - len(segment.peaks)) <= len(chunks), "as many a second as of the whole"
        assert max(heights) == max(segment.peaks)
        made = wav.inspect_wav(media / segment.audio_path)
        assert ends[-1] == made.sample_count
    assert list(media.rglob("*.pcm")) == []
    assert all(len(line.split()) > 4 for line in log.text_lines(first.pk, "en")), "a chunk is no line of the log"
    replay.start(first, by=owner, address=None, verify=True)
    second = perform()
    assert second.verdict is not None
    assert second.verdict["identical"] is True


def test_a_cancel_leaves_no_chunk_behind(
    submit: Submit, perform: Perform, while_running: WhileRunning, media: Path
) -> None:
    job = submit("这一句话有一些长，说起来要很久。" * 40)
    while_running(cancel_when(lambda now: bool(chunks_of(now)), job))
    check_cancelled(perform(), media)
    assert list(media.rglob("*.pcm")) == []


def test_chunks_are_heard_by_the_owner_alone_while_they_are_made_and_after(
    submit: Submit, perform: Perform, while_running: WhileRunning, owner: User
) -> None:
    stranger = User.objects.create_user("stranger")
    job = submit("这一句话说起来要很久。", seed=3)
    heard: list[bytes | None] = []

    def listen(user: User, chunk: dict[str, int], more: int = 0) -> bytes | None:
        return early.chunk(user, job.pk, chunk["index"], chunk["start"], chunk["end"] + more)

    def while_it_is_made() -> None:
        until(lambda: bool(chunks_of(job)))
        chunk = chunks_of(job)[0]
        heard.extend([listen(owner, chunk), listen(stranger, chunk), listen(owner, chunk, more=1_000_000)])
        connection.close()

    while_running(while_it_is_made)
    assert perform().status == Status.COMPLETED
    first, strangers, beyond = heard
    assert first is not None
    assert (strangers, beyond) == (None, None)
    chunk = chunks_of(job)[0]
    assert listen(owner, chunk) == first
    assert listen(stranger, chunk) is None


def chunks_of(job: Job) -> list[dict[str, Any]]:
    return list(Event.objects.filter(job=job, kind="chunk").order_by("seq").values_list("data", flat=True))
