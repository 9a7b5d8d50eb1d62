"""What engines say while they work, from the first line to the downloaded log."""

# ruff: noqa: T201 engines print, and so do the ones here

from __future__ import annotations

import asyncio
import ctypes
import itertools
import logging
import os
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from synthesis.accounts import keys
from synthesis.engines.base import AudioChunk, Engine, EngineError, Report, SegmentRequest, ShouldStop
from synthesis.jobs import lifecycle, recovery
from synthesis.models import Event, Job, User
from synthesis.outputs import log_lines, store
from synthesis.outputs.log_lines import LogLine
from synthesis.vocabulary import Level, Status
from synthesis.worker.kept import MOST_AT_ONCE
from synthesis.worker.performance import Performance
from tests.engines.wrapped import Wrapped
from tests.integration.worker.conftest import Submit
from tests.integration.worker.test_performance import check_ledger
from tests.unit.web.conftest import browser_of, plain_static

__all__ = ["plain_static"]  # a fixture that every test here uses
pytestmark = pytest.mark.django_db(transaction=True)

library = logging.getLogger("somelibrary.model")


class Talkative(Wrapped):
    """The embedded engine with something to say before each segment."""

    def __init__(self, engine: Engine, talk: Callable[[], None]) -> None:
        super().__init__(engine)
        self._talk = talk

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        self._talk()
        yield from super().synthesize(request, report, should_stop)


Hear = Callable[[Callable[[], None]], Job]


@pytest.fixture
def hear(engine: Engine, submit: Submit) -> Hear:
    """Perform a job of one segment whose engine says something; the job as it then is."""

    def hear(talk: Callable[[], None]) -> Job:
        submit("One short sentence.")
        claim = lifecycle.claim_next("test-worker")
        assert claim
        Performance(claim, Talkative(engine, talk), lambda: False).run()
        return Job.objects.get(pk=claim.job_id)

    return hear


def file_of(job: Job) -> list[LogLine]:
    return list(log_lines.read(store.log_path(job.pk)))


def events_of(job: Job) -> list[tuple[str, str, str]]:
    """Level, stage and message of the engine's lines among the events."""
    rows = Event.objects.filter(job=job, kind="log", data__code="").order_by("seq")
    return [(row.level, row.data["stage"], row.data["message"]) for row in rows]


def test_records_prints_warnings_and_c_output_have_level_and_stage(hear: Hear) -> None:
    def talk() -> None:
        library.info("weights on %s", "cpu")
        library.warning("slow kernel")
        logging.getLogger("synthesis.engines.embedded").error("own engine")
        print("printed")
        print("WARNING: printed too")
        print("to stderr", file=sys.stderr)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old call", stacklevel=1)
        libc = ctypes.CDLL(None)
        libc.puts(b"from C")
        os.write(2, b"\xff raw \x1b[31mbytes\x1b[0m\n")
        subprocess.run(["sh", "-c", "echo from a child"], check=True)

    job = hear(talk)
    assert job.status == Status.COMPLETED
    check_ledger(job)
    heard = {message: (level, stage) for level, stage, message in events_of(job)}
    assert heard["weights on cpu"] == ("INFO", "acoustic")
    assert heard["slow kernel"] == ("WARNING", "acoustic")
    assert heard["own engine"] == ("ERROR", "acoustic")
    assert heard["printed"] == ("INFO", "acoustic")
    assert heard["WARNING: printed too"] == ("WARNING", "acoustic")
    assert heard["to stderr"] == ("WARNING", "acoustic")
    assert any(text.startswith("UserWarning: old call (") for text in heard)
    in_file = {line.message: line.level for line in file_of(job)}
    assert set(heard) <= set(in_file)
    assert in_file["from C"] == in_file["from a child"] == Level.INFO
    assert in_file["\ufffd raw bytes"] == Level.WARNING


def test_the_process_has_its_own_output_back_afterwards(hear: Hear, capfd: pytest.CaptureFixture[str]) -> None:
    before = (sys.stdout, sys.stderr, list(logging.root.handlers), warnings.showwarning)
    job = hear(lambda: print("into the log"))
    assert (sys.stdout, sys.stderr, logging.root.handlers, warnings.showwarning) == before
    print("to the console")
    os.write(1, b"and from C\n")
    assert capfd.readouterr().out == "to the console\nand from C\n"
    assert [line.message for line in file_of(job)] == ["into the log"]
    assert list(Path(store.open_path("logs")).rglob("*.raw")) == []


def test_the_workers_own_log_goes_on_to_the_console(hear: Hear) -> None:
    """As the worker command sets it up: a handler on descriptor 2."""
    reading, writing = os.pipe()
    kept = os.dup(2)
    os.dup2(writing, 2)
    console = logging.StreamHandler(open(2, "w", closefd=False))  # noqa: SIM115 closed below
    logging.root.addHandler(console)
    try:
        job = hear(lambda: logging.getLogger("synthesis.worker.test").warning("for administrators"))
    finally:
        os.dup2(kept, 2)
        logging.root.removeHandler(console)
        console.stream.close()
        for descriptor in (writing, kept):
            os.close(descriptor)
    with open(reading, "rb") as pipe:
        assert b"for administrators" in pipe.read()
    assert file_of(job) == []


def test_what_led_to_a_failure_stands_before_it(hear: Hear) -> None:
    def fall() -> None:
        print("about to fall", end="")
        try:
            int("bad")
        except ValueError:
            traceback.print_exc()
        library.error("it fell")
        raise EngineError("broken")

    job = hear(fall)
    assert job.status == Status.FAILED
    check_ledger(job)
    kinds = list(Event.objects.filter(job=job).order_by("seq").values_list("kind", "data__message"))
    assert kinds[-1][0] == "failed"
    said = [message for _level, _stage, message in events_of(job)]
    said.remove("about to fall")  # it has no end, so nobody knows when it came
    trace, error = said
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: invalid literal for int() with base 10: 'bad'")
    assert error == "it fell"


def test_a_burst_is_whole_in_the_file_and_bounded_among_the_events(hear: Hear) -> None:
    def burst() -> None:
        for number in range(20_000):
            library.info("line %d", number)
        library.error("the one that matters")
        print("\n".join(f"printed {number}" for number in range(5_000)))

    job = hear(burst)
    assert job.status == Status.COMPLETED
    check_ledger(job)
    lines = [line.message for line in file_of(job)]
    assert lines[:20_000] == [f"line {number}" for number in range(20_000)]
    assert lines[20_000] == "the one that matters"
    assert lines[20_001:] == [f"printed {number}" for number in range(5_000)]
    shown = events_of(job)
    assert "the one that matters" in [message for _level, _stage, message in shown]
    assert len(shown) < 6 * MOST_AT_ONCE
    skipped = Event.objects.filter(job=job, data__code="lines_skipped")
    assert sum(event.data["values"]["count"] for event in skipped) + len(shown) == 25_001


def test_a_burst_that_lasts_keeps_order_levels_and_stage(hear: Hear) -> None:
    said: list[tuple[Level, str]] = []

    def burst() -> None:
        until = time.monotonic() + 0.8
        while time.monotonic() < until:
            number = len(said)
            if number % 1000 == 500:
                library.warning("warned %d", number)
                said.append((Level.WARNING, f"warned {number}"))
            elif number % 2:
                print("printed", number)
                said.append((Level.INFO, f"printed {number}"))
            else:
                library.info("logged %d", number)
                said.append((Level.INFO, f"logged {number}"))

    lines = file_of(hear(burst))
    assert len(said) > 5_000
    assert [(line.level, line.message) for line in lines] == said
    assert {line.stage for line in lines} == {"acoustic"}
    latest = itertools.accumulate((line.at for line in lines), max)
    assert all(line.at > before - 0.1 for line, before in zip(lines, latest, strict=True))


def test_threads_do_not_mix_their_lines(hear: Hear) -> None:
    def talk(name: str) -> None:
        for number in range(500):
            print(name, number, "!")

    def together() -> None:
        threads = [threading.Thread(target=talk, args=[name]) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    said = [f"{name} {number} !" for name in "ab" for number in range(500)]
    assert sorted(line.message for line in file_of(hear(together))) == sorted(said)


def test_the_last_words_of_a_dead_worker_are_in_the_log(hear: Hear, engine: Engine, submit: Submit) -> None:
    job = submit("One short sentence.")
    claim = lifecycle.claim_next("dying")
    assert claim
    descriptor, _path = store.open_spool(job.pk, claim.attempt, "err-00000001")
    os.write(descriptor, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.close(descriptor)
    Job.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00Z")
    recovery.sweep()
    claim = lifecycle.claim_next("next")
    assert claim
    Performance(claim, engine, lambda: False).run()
    assert [line.message for line in file_of(job)] == [
        "terminate called after throwing an instance of 'std::bad_alloc'"
    ]


def test_a_log_that_cannot_be_written_is_said_in_the_job(hear: Hear) -> None:
    def lose_the_place() -> None:
        (job,) = Job.objects.all()
        path = store.open_path(store.log_path(job.pk))
        path.unlink(missing_ok=True)
        path.mkdir()  # as a full disk: no line can be appended
        library.warning("still among the events")

    job = hear(lose_the_place)
    assert job.status == Status.COMPLETED
    assert [message for _level, _stage, message in events_of(job)] == ["still among the events"]
    note = Event.objects.get(job=job, data__code="log_incomplete")
    assert (note.level, note.data["values"]["count"]) == ("WARNING", 1)


# The download


def body(response: object) -> str:
    assert isinstance(response, StreamingHttpResponse)

    async def read() -> bytes:
        return b"".join([block async for block in response])

    return asyncio.run(read()).decode()


def test_the_downloaded_log_is_whole_and_in_the_readers_language(hear: Hear, owner: User) -> None:
    def talk() -> None:
        for number in range(3_000):
            library.info("line %d", number)

    job = hear(talk)
    english = body(browser_of(owner).get(f"/jobs/{job.pk}/log.txt"))
    chinese = body(browser_of(owner, "zh-hans").get(f"/jobs/{job.pk}/log.txt"))
    for text in (english, chinese):
        lines = text.splitlines()
        assert [line.split("acoustic ")[1] for line in lines if "acoustic line" in line] == [
            f"line {number}" for number in range(3_000)
        ]
        assert [line[:26] for line in lines] == sorted(line[:26] for line in lines)
    assert "INFO    acoustic line 7\n" in english
    assert "Segment 1 of 1: One short sentence." in english
    assert "Segment 1 of 1" not in chinese
    assert "more lines" not in english


def test_a_program_gets_the_same_log(hear: Hear, owner: User) -> None:
    job = hear(lambda: library.warning("mind this"))
    _key, token = keys.create(owner, "test", by=owner, address=None)
    client = Client(headers={"authorization": f"Bearer {token}", "accept-language": "en"})
    response = client.get(f"/api/v1/jobs/{job.pk}/log")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "WARNING acoustic mind this\n" in body(response)
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["links"]["log"] == f"/api/v1/jobs/{job.pk}/log"


def test_strangers_get_no_log(hear: Hear, teammate: User) -> None:
    job = hear(lambda: library.info("private"))
    assert browser_of(teammate).get(f"/jobs/{job.pk}/log.txt").status_code == 404
    _key, token = keys.create(teammate, "test", by=teammate, address=None)
    stranger = Client(headers={"authorization": f"Bearer {token}"})
    assert stranger.get(f"/api/v1/jobs/{job.pk}/log").status_code == 404


def test_a_job_from_before_there_were_log_files_keeps_its_lines(hear: Hear, owner: User) -> None:
    job = hear(lambda: library.info("kept among the events"))
    store.remove(store.log_path(job.pk))
    assert "kept among the events" in body(browser_of(owner).get(f"/jobs/{job.pk}/log.txt"))
