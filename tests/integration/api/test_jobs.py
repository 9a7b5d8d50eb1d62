"""Jobs over HTTP: submitted, listed, followed, steered."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from synthesis.events import facts
from synthesis.events.record import record
from synthesis.jobs import queue
from synthesis.models import AuditEntry, Batch, Job, Output, Segment, User, Voice
from synthesis.vocabulary import Command, Status
from tests.conftest import make_voice
from tests.integration.api.conftest import Caller

pytestmark = pytest.mark.usefixtures("voice")


def test_a_submitted_job_is_stored_queued_and_audited(program: Caller, owner: User, voice: Voice) -> None:
    answer = program.post("/api/v1/jobs", {"task": "generate_audio", "text": "Hello there.", "seed": 1986})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["status"], told["seed"], told["batch"]) == ("queued", 1986, None)
    assert told["links"] == {
        "self": f"/api/v1/jobs/{told['id']}",
        "events": f"/api/v1/jobs/{told['id']}/events",
        "log": f"/api/v1/jobs/{told['id']}/log",
        "outputs": f"/api/v1/jobs/{told['id']}/outputs",
        "control": f"/api/v1/jobs/{told['id']}/control",
        "page": f"/jobs/{told['id']}/",
        "socket": "/ws/",
    }
    job = Job.objects.get(pk=told["id"])
    assert (job.owner, job.voice, job.text, job.seed) == (owner, voice, "Hello there.", 1986)
    assert AuditEntry.objects.get(action="job.submit").address == "127.0.0.1"
    assert queue.tickets() == 1


def test_every_field_reaches_the_job(program: Caller, owner: User) -> None:
    mine = make_voice("Mine", owner=owner)
    wish = {
        "text": "Hello.",
        "prompt_audio": mine.pk,
        "prompt_text": "reference words",
        "instruct": "gently",
        "mode": "cross_lingual",
        "seed": "7",
        "speed": "1.5",
        "priority": 3,
        "format": "flac",
    }
    job = program.get(f"/api/v1/jobs/{program.post('/api/v1/jobs', wish).json()['id']}").json()
    assert job["voice"] == mine.pk
    assert (job["seed"], job["speed"], job["priority"]) == (7, 1.5, 3)
    assert {name: job[name] for name in ("prompt_text", "instruct", "mode", "format")} == {
        "prompt_text": "reference words",
        "instruct": "gently",
        "mode": "cross_lingual",
        "format": "flac",
    }


def test_a_seed_is_drawn_and_told(program: Caller) -> None:
    seeds = {program.post("/api/v1/jobs", {"text": "Hello."}).json()["seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_takes_count_up_from_the_seed_in_one_batch(program: Caller) -> None:
    told = program.post("/api/v1/jobs", {"text": "Hello.", "takes": 3, "seed": 10}).json()
    assert [job["seed"] for job in told["jobs"]] == [10, 11, 12]
    assert told["id"] == told["jobs"][0]["id"]
    assert {job.batch_id for job in Job.objects.all()} == {told["batch"]}
    assert Batch.objects.get().title == "Hello."
    assert queue.tickets() == 3


def test_takes_without_a_seed_count_up_from_a_drawn_one(program: Caller) -> None:
    seeds = [job["seed"] for job in program.post("/api/v1/jobs", {"text": "Hello.", "takes": 3}).json()["jobs"]]
    assert seeds == [seeds[0], seeds[0] + 1, seeds[0] + 2]


def test_texts_make_a_job_each(program: Caller) -> None:
    told = program.post("/api/v1/jobs", {"texts": ["One.", "Two."], "takes": 2, "seed": 1}).json()
    jobs = [Job.objects.get(pk=job["id"]) for job in told["jobs"]]
    assert [(job.text, job.seed) for job in jobs] == [("One.", 1), ("One.", 2), ("Two.", 1), ("Two.", 2)]


@pytest.mark.parametrize("body", [{"text": "Hello."}, {"text": "Hello.", "takes": 3}])
def test_an_idempotency_key_returns_the_first_answer(program: Caller, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "order 66"}
    first = program.post("/api/v1/jobs", body, **headers)
    again = program.post("/api/v1/jobs", body, **headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert Job.objects.count() == body.get("takes", 1)
    assert program.post("/api/v1/jobs", body, **{"Idempotency-Key": "other"}).json()["id"] != first.json()["id"]


def test_an_idempotency_key_belongs_to_its_user(
    program: Caller, teammate: User, program_for: Callable[[User], Caller]
) -> None:
    headers = {"Idempotency-Key": "k"}
    mine = program.post("/api/v1/jobs", {"text": "Hello."}, **headers).json()
    theirs = program_for(teammate).post("/api/v1/jobs", {"text": "Hello."}, **headers).json()
    assert mine["id"] != theirs["id"]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_idempotency_key_make_one_batch(program: Caller) -> None:
    told: list[dict[str, Any]] = []
    gate = threading.Barrier(2)

    def send() -> None:
        gate.wait(10)
        body = {"text": "Hello.", "takes": 3}
        told.append(program.post("/api/v1/jobs", body, **{"Idempotency-Key": "k"}).json())
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told[0] == told[1]
    assert (Job.objects.count(), Batch.objects.count()) == (3, 1)


def test_filters_find_what_they_say(program: Caller, owner: User, make_job: Callable[..., Job]) -> None:
    other = make_voice("Other", owner=owner)
    batch = Batch.objects.create(owner=owner)
    apple = make_job(owner, text="An apple.", status=Status.COMPLETED, batch=batch)
    pear = make_job(owner, text="A 100% pear.", voice=other)
    Job.objects.filter(pk=pear.pk).update(seed=99, created_at=timezone.now() - datetime.timedelta(days=3))
    yesterday = (timezone.now() - datetime.timedelta(days=1)).isoformat()

    def found(**query: Any) -> list[str]:
        return [line["id"] for line in program.get("/api/v1/jobs", query).json()["items"]]

    assert found() == [apple.pk, pear.pk]
    assert found(status="completed") == [apple.pk]
    assert found(status=["completed", "queued"]) == [apple.pk, pear.pk]
    assert found(q="APPLE") == [apple.pk]
    assert found(q="100%") == [pear.pk]
    assert found(q="\0") == [apple.pk, pear.pk]
    assert found(voice=other.pk) == [pear.pk]
    assert found(seed=99) == [pear.pk]
    assert found(batch=batch.pk) == [apple.pk]
    assert found(since=yesterday) == [apple.pk]
    assert found(until=yesterday) == [pear.pk]
    assert found(since="2000-01-01T00:00:00") == [apple.pk, pear.pk]
    assert found(owner="alice") == [apple.pk, pear.pk]
    assert found(owner="bob") == []


def test_pages_show_every_job_once(program: Caller, owner: User, make_job: Callable[..., Job]) -> None:
    jobs = [make_job(owner) for _ in range(7)]
    Job.objects.update(created_at=timezone.now())  # all at once: the id decides
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = program.get("/api/v1/jobs", {"limit": 3, "cursor": cursor}).json()
        seen += [line["id"] for line in page["items"]]
        cursor = page["next"]
        make_job(owner)  # newer ones do not move the pages
        assert len(seen) < 20
    assert seen == sorted((job.pk for job in jobs), reverse=True)


def test_the_list_takes_a_fixed_number_of_queries(
    program: Caller, owner: User, make_job: Callable[..., Job], django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        make_job(owner)
    program.get("/api/v1/jobs")  # the key's use is noted once
    with django_assert_num_queries(3) as few:
        program.get("/api/v1/jobs")
    for _ in range(30):
        make_job(owner, voice=make_voice("V", owner=owner))
    with django_assert_num_queries(len(few)):
        assert len(program.get("/api/v1/jobs", {"limit": 100}).json()["items"]) == 33


def test_a_job_tells_everything(
    program: Caller, owner: User, make_job: Callable[..., Job], django_assert_num_queries: Any
) -> None:
    job = make_job(owner, status=Status.FAILED, error_code="out_of_memory", error_stage="vocoder", error_message="boom")
    for index in range(1, 20):
        Segment.objects.create(job=job, index=index, text="x", language="en", start=0, end=1, seed=index)
    Segment.objects.filter(job=job, index=0).update(audio_path="x.wav", duration_s=1.5)
    output_of(job)
    program.get("/api/v1/system")
    with django_assert_num_queries(5):  # key, job, segments, outputs, controls
        told = program.get(f"/api/v1/jobs/{job.pk}").json()
    assert told["error"]["hint"].startswith("The machine ran out of memory.")
    assert [segment["index"] for segment in told["segments"]] == list(range(20))
    assert told["segments"][0]["audio_url"] == f"/jobs/{job.pk}/segments/0.wav"
    assert told["segments"][1]["audio_url"] is None
    assert told["outputs"][0]["url"] == "/outputs/a.wav"
    assert (told["recipe"], told["fingerprint"], told["steering"]) == ({}, {}, [])


def output_of(job: Job) -> Output:
    return Output.objects.create(
        job=job, format="wav", name="a.wav", path="a.wav", sha256="0" * 64, size_bytes=4, duration_s=1.0
    )


def test_outputs_are_download_links(program: Caller, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, status=Status.COMPLETED)
    output_of(job)
    (told,) = program.get(f"/api/v1/jobs/{job.pk}/outputs").json()["items"]
    assert told["download_url"] == "/outputs/a.wav?download"
    assert (told["format"], told["duration_s"], told["sha256"]) == ("wav", 1.0, "0" * 64)


def test_events_come_in_order_from_where_one_left_off(
    program: Caller, owner: User, make_job: Callable[..., Job]
) -> None:
    job = make_job(owner)
    record(Job.objects.all(), job.pk, [facts.Queued(seed=n, position=0, eta_s=None) for n in range(5)])
    page = program.get(f"/api/v1/jobs/{job.pk}/events", {"since": 2, "limit": 2}).json()
    assert [event["seq"] for event in page["events"]] == [3, 4]
    assert page["last_seq"] == 5
    assert page["events"][0]["message"] == "Waiting for a worker"
    assert program.get(f"/api/v1/jobs/{job.pk}/events", {"since": 5}).json()["events"] == []


@pytest.mark.parametrize("query", [{"since": -1}, {"since": "x"}, {"limit": 0}, {"limit": 501}, {"since": 2**40}])
def test_events_name_a_wrong_parameter(
    query: dict[str, Any], program: Caller, owner: User, make_job: Callable[..., Job]
) -> None:
    answer = program.get(f"/api/v1/jobs/{make_job(owner).pk}/events", query)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, list(query))


def test_every_command_is_taken(program: Caller, owner: User, make_job: Callable[..., Job], voice: Voice) -> None:
    job = make_job(owner)
    values = {Command.SPEED: 1.2, Command.VOICE: voice.pk, Command.INSTRUCT: "gently", Command.PRIORITY: 5}
    for command in (*values, Command.PAUSE, Command.RESUME, Command.CANCEL):
        body = {"command": command, "value": values.get(command)}
        answer = program.post(f"/api/v1/jobs/{job.pk}/control", body)
        assert answer.status_code == 202, answer.json()
    told = program.get(f"/api/v1/jobs/{job.pk}").json()
    assert told["status"] == "cancelled"
    assert (told["steering"][0]["command"], told["steering"][0]["by"]) == ("speed", "alice")
    assert AuditEntry.objects.filter(action="job.control", address="127.0.0.1").count() == 7


def test_a_job_that_has_ended_takes_no_command(program: Caller, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, status=Status.COMPLETED)
    answer = program.post(f"/api/v1/jobs/{job.pk}/control", {"command": "pause"})
    assert answer.status_code == 409
    assert "Completed" in answer.json()["error"]["message"]


def test_unknown_ids_are_not_found(program: Caller) -> None:
    for job_id in ("zzzzzzzzzzzz", "x" * 300, "a%00b", "%E4%BD%A0"):
        assert program.get(f"/api/v1/jobs/{job_id}").status_code == 404
