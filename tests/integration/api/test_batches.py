"""Batches over HTTP: made from files, looked at first, steered as a whole, taken home as a ZIP."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from synthesis.jobs import lifecycle, queue
from synthesis.models import AuditEntry, Batch, Control, Event, Job, Output, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import Status
from tests.conftest import make_voice
from tests.integration.api.conftest import Caller

pytestmark = pytest.mark.usefixtures("voice")
MakeJob = Callable[..., Job]
SRT = b"1\n00:00:01,000 --> 00:00:02,500\nHello.\n\n2\n00:00:03,000 --> 00:00:04,000\nGoodbye.\n"


def send(caller: Caller, data: bytes, name: str = "texts.csv", *, to: str = "", key: str = "", **fields: str) -> Any:
    form = {**fields, "file": SimpleUploadedFile(name, data)}
    headers = {"Idempotency-Key": key} if key else {}
    return caller.client.post(f"/api/v1/batches{to}", form, headers=headers)


def nothing_is_left() -> bool:
    """No trace of a refused request."""
    return not any(model.objects.exists() for model in (Job, Batch, Event)) and queue.tickets() == 0


def test_a_table_makes_a_job_for_each_row(program: Caller, owner: User, voice: Voice) -> None:
    mine = make_voice("My Voice", owner=owner)
    table = f"""text,voice,instruct,seed,speed,format,priority
First.,,,,,,
Second.,my  voice,gently,7,1.5,flac,3
Third.,{mine.pk},,,,,-2
"""
    answer = send(program, table.encode(), speed="0.8", priority="1")
    assert answer.status_code == 202
    told = answer.json()
    jobs = [Job.objects.get(pk=job["id"]) for job in told["jobs"]]
    assert [job.text for job in jobs] == ["First.", "Second.", "Third."]
    assert [(job.voice, job.speed, job.priority, job.format) for job in jobs] == [
        (voice, 0.8, 1, "wav"),
        (mine, 1.5, 3, "flac"),
        (mine, 0.8, -2, "wav"),
    ]
    assert (jobs[1].instruct, jobs[1].mode, jobs[1].seed) == ("gently", "instruct", 7)
    assert jobs[0].seed == jobs[2].seed  # one is drawn for all that have none
    assert {job.batch_id for job in jobs} == {told["batch"]}
    assert Batch.objects.get().title == "texts.csv"
    assert queue.tickets() == 3


def test_lines_and_subtitles_make_jobs_too(program: Caller) -> None:
    told = send(program, "一。\n\n二。\n".encode("gb18030"), "a.txt").json()
    assert [Job.objects.get(pk=job["id"]).text for job in told["jobs"]] == ["一。", "二。"]
    told = send(program, SRT, "film.srt").json()
    titles = [Job.objects.get(pk=job["id"]).title for job in told["jobs"]]
    assert titles == ["1 · 0:00:01.000 → 0:00:02.500 · Hello.", "2 · 0:00:03.000 → 0:00:04.000 · Goodbye."]


def test_one_text_in_a_file_is_a_batch_of_one(program: Caller) -> None:
    told = send(program, b"Hello.", "a.txt").json()
    assert (len(told["jobs"]), told["batch"]) == (1, Batch.objects.get().pk)


def test_wrong_rows_are_named_and_nothing_is_left(program: Caller, owner: User, teammate: User) -> None:
    make_voice("Twin", owner=owner)
    make_voice("twin", owner=owner)
    make_voice("Private", owner=teammate)
    table = b"text,speed,voice,format\nGood.,,,\nFast.,9,,\n,,,\n...,,Private,exe\nTwo.,,twin,\n"
    answer = send(program, table)
    assert answer.status_code == 422
    fields = answer.json()["error"]["fields"]
    assert fields == {
        "rows.1.speed": "Line 3: This must be a number from 0.5 to 2.0.",
        "rows.2.voice": "Line 5: This voice does not exist.",
        "rows.3.voice": "Line 6: Several voices have this name; use the id.",
    }
    answer = send(program, b"text,format\nGood.,\n...,exe\n")
    assert set(answer.json()["error"]["fields"]) == {"rows.1.text", "rows.1.format"}
    assert nothing_is_left()


@pytest.mark.parametrize(
    ("data", "name", "fields", "status", "wrong"),
    [
        (b"Hello.", "a.exe", {}, 422, "file"),
        (b"\x89PNG\0\0", "a.txt", {}, 422, "file"),
        (b"", "a.txt", {}, 422, "file"),
        (b"words\nHello.", "a.csv", {}, 422, "file"),
        (b"Hello.\n" * 101, "a.txt", {}, 422, "file"),
        (b"x" * (1024 * 1024 + 1), "a.txt", {}, 413, "file"),
        (b"x" * 1024 * 1024, "a.txt", {}, 422, "rows.0.text"),
        (b"Hello.", "a.txt", {"speed": "9"}, 422, "speed"),
        (b"Hello.", "a.txt", {"prompt_audio": "nobody"}, 422, "prompt_audio"),
    ],
)
def test_what_cannot_be_taken_is_named(
    program: Caller, data: bytes, name: str, fields: dict[str, str], status: int, wrong: str
) -> None:
    answer = send(program, data, name, **fields)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (status, [wrong])
    assert nothing_is_left()


def test_a_missing_file_is_named(program: Caller) -> None:
    answer = program.client.post("/api/v1/batches", {"speed": "1"})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["file"])


def test_too_many_at_once_leave_nothing(program: Caller, settings: Any) -> None:
    settings.MAX_QUEUED_PER_USER = 2
    answer = send(program, b"One.\nTwo.\nThree.", "a.txt")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")
    assert "this adds 3" in answer.json()["error"]["message"]
    assert nothing_is_left()


def test_an_idempotency_key_returns_the_first_batch(program: Caller) -> None:
    first = send(program, b"One.\nTwo.", "a.txt", key="k")
    again = send(program, b"One.\nTwo.", "a.txt", key="k")
    assert first.json() == again.json()
    assert Job.objects.count() == 2


def test_a_preview_tells_columns_rows_and_problems_and_makes_nothing(program: Caller) -> None:
    told = send(program, "note;text;speed\nx;你好。;\n;Fast.;9\n".encode("gb18030"), to="/preview").json()
    assert (told["kind"], told["encoding"]) == ("csv", "gb18030")
    assert (told["columns"], told["ignored"]) == (["text", "speed"], ["note"])
    assert [row["fields"]["text"] for row in told["rows"]] == ["你好。", "Fast."]
    assert told["problems"] == [
        {"row": 1, "line": 3, "field": "speed", "message": "This must be a number from 0.5 to 2.0."}
    ]
    assert nothing_is_left()


@pytest.fixture
def batch(owner: User) -> Batch:
    return Batch.objects.create(owner=owner, title="Some texts")


def test_a_batch_tells_its_jobs_and_progress(
    program: Caller, owner: User, batch: Batch, make_job: MakeJob, django_assert_num_queries: Any
) -> None:
    for status, progress in ((Status.COMPLETED, 1.0), (Status.RUNNING, 0.5), (Status.QUEUED, 0.0)):
        make_job(owner, status=status, progress=progress, batch=batch, text="Same length.")
    make_job(owner, status=Status.FAILED, progress=0.2, batch=batch, text="Same length.")
    program.get("/api/v1/system")
    with django_assert_num_queries(3):  # key, batch, jobs
        told = program.get(f"/api/v1/batches/{batch.pk}").json()
    assert told["progress"] == 0.625
    assert told["counts"] == {"completed": 1, "running": 1, "queued": 1, "failed": 1}
    assert len(told["jobs"]) == 4
    assert told["links"]["download"] == f"/batches/{batch.pk}/download"


def test_a_command_goes_to_every_job_that_can_take_it(
    program: Caller, owner: User, batch: Batch, make_job: MakeJob
) -> None:
    done = make_job(owner, status=Status.COMPLETED, batch=batch)
    waiting = [make_job(owner, batch=batch) for _ in range(3)]
    other = make_job(owner)
    path = f"/api/v1/batches/{batch.pk}/control"
    assert program.post(path, {"command": "pause"}).json() == {"taken": 3, "refused": 1}
    assert program.post(path, {"command": "pause"}).json() == {"taken": 0, "refused": 4}
    assert program.post(path, {"command": "resume"}).json() == {"taken": 3, "refused": 1}
    assert program.post(path, {"command": "priority", "value": 4}).json() == {"taken": 3, "refused": 1}
    assert set(Job.objects.filter(pk__in=[job.pk for job in waiting]).values_list("priority", flat=True)) == {4}
    assert program.post(path, {"command": "cancel"}).json() == {"taken": 3, "refused": 1}
    statuses = {job.pk: Status(job.status) for job in Job.objects.all()}
    assert statuses == {done.pk: "completed", other.pk: "queued", **{job.pk: "cancelled" for job in waiting}}
    entries = AuditEntry.objects.filter(action="batch.control")
    assert entries.count() == 5
    assert entries.order_by("id")[0].detail == {"command": "pause", "taken": 3, "refused": 1}


def test_resumed_jobs_keep_their_order(program: Caller, owner: User, batch: Batch, make_job: MakeJob) -> None:
    jobs = [make_job(owner, batch=batch) for _ in range(4)]
    for command in ("pause", "resume"):
        program.post(f"/api/v1/batches/{batch.pk}/control", {"command": command})
    taken = [claim.job_id for claim in iter(lambda: lifecycle.claim_next("w"), None) if claim]
    assert taken == [job.pk for job in jobs]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"command": "speed", "value": 1.2}, "command"),
        ({"command": ["cancel"]}, "command"),
        ({}, "command"),
        ({"command": "priority", "value": "high"}, "value"),
    ],
)
def test_a_wrong_command_to_a_batch_leaves_nothing(
    program: Caller, owner: User, batch: Batch, make_job: MakeJob, body: dict[str, Any], wrong: str
) -> None:
    make_job(owner, batch=batch)
    answer = program.post(f"/api/v1/batches/{batch.pk}/control", body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [wrong])
    assert not Control.objects.exists()


def finish(job: Job, content: bytes) -> None:
    """As a worker does, as far as a download needs it."""
    name = f"output_{job.pk}.{job.format}"
    path = store.output_path(job.pk, name)
    with store.writing(path) as temporary:
        temporary.write_bytes(content)
    Output.objects.create(
        job=job, format=job.format, name=name, path=path, sha256="0", size_bytes=len(content), duration_s=1.0
    )
    Job.objects.filter(pk=job.pk).update(main_output=name, status=Status.COMPLETED)


def content_of(answer: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([block async for block in answer.streaming_content])

    return asyncio.run(read())


def test_a_zip_holds_every_finished_main_output_in_order(
    program: Caller, owner: User, batch: Batch, make_job: MakeJob
) -> None:
    jobs = [make_job(owner, batch=batch, text=text) for text in ("Hello there!", "你好，世界。", "../../etc", "…")]
    contents = [bytes([number]) * (300_000 + number) for number in range(4)]
    for index in (0, 1, 3):
        finish(jobs[index], contents[index])
    answer = program.get(f"/batches/{batch.pk}/download")
    assert answer["Content-Type"] == "application/zip"
    assert "some-texts.zip" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(content_of(answer)))
    assert archive.testzip() is None
    assert archive.namelist() == ["001-hello-there.wav", "002-你好世界.wav", f"004-{jobs[3].pk}.wav"]
    assert [archive.read(name) for name in archive.namelist()] == [contents[0], contents[1], contents[3]]
    assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    assert archive.infolist()[0].date_time[0] == timezone.now().year


def test_without_a_finished_output_or_for_a_stranger_there_is_no_zip(
    program: Caller,
    owner: User,
    teammate: User,
    batch: Batch,
    make_job: MakeJob,
    program_for: Callable[[User], Caller],
    nobody: Caller,
) -> None:
    job = make_job(owner, batch=batch)
    assert program.get(f"/batches/{batch.pk}/download").status_code == 404
    finish(job, b"RIFF")
    assert program.get(f"/batches/{batch.pk}/download").status_code == 200
    assert program.client.head(f"/batches/{batch.pk}/download").status_code == 200
    assert program_for(teammate).get(f"/batches/{batch.pk}/download").status_code == 404
    assert nobody.get(f"/batches/{batch.pk}/download").status_code == 401


def test_administrators_pause_the_queue_over_http(
    program: Caller, administrator: User, program_for: Callable[[User], Caller]
) -> None:
    root = program_for(administrator)
    for body in ({}, {"paused": "maybe"}):
        assert root.post("/api/v1/system/queue", body).status_code == 422
    told = root.post("/api/v1/system/queue", {"paused": True}).json()
    assert (told["paused"], told["paused_by"]) == (True, "root")
    assert program.get("/api/v1/system").json()["queue"]["paused"] is True
    assert program.post("/api/v1/jobs", {"text": "Hello."}).status_code == 202
    assert program.post("/api/v1/system/queue", {"paused": False}).status_code == 403
    assert root.post("/api/v1/system/queue", {"paused": False}).json()["paused"] is False
