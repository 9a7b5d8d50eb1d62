"""Replays and redone segments over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from synthesis.models import AuditEntry, Job, Output, Segment, User
from synthesis.outputs import store
from synthesis.vocabulary import Status
from tests.integration.api.conftest import Caller

pytestmark = pytest.mark.usefixtures("voice")


@pytest.fixture
def job(owner: User, make_job: Callable[..., Job]) -> Job:
    """Completed, with two segments."""
    job = make_job(owner, status=Status.COMPLETED, text="Hello there. And again.", format="flac")
    Segment.objects.create(
        job=job, index=1, text="And again.", language="en", start=13, end=23, seed=2, speed=1.5, voice=job.voice
    )
    for segment in job.segments.all():
        segment.audio_path = store.segment_path(job.pk, segment.index, 1)
        with store.writing(segment.audio_path) as path:
            path.write_bytes(b"audio of %d" % segment.index)
        segment.sha256 = store.sha256(segment.audio_path)
        segment.save()
    return job


def test_a_replay_has_the_same_segments_and_waits_for_its_verdict(program: Caller, job: Job) -> None:
    answer = program.post(f"/api/v1/jobs/{job.pk}/replay", {"verify": True})
    assert answer.status_code == 202
    told = program.get(answer.json()["links"]["self"]).json()
    assert (told["replay_of"], told["status"], told["format"], told["version"]) == (job.pk, "queued", "flac", 1)
    assert told["replay"] == {"identical": None, "pending": True, "segment": None, "compared": None, "changed": []}
    names = ("text", "language", "start", "end", "seed", "speed", "instruct", "voice")
    first = program.get(f"/api/v1/jobs/{job.pk}").json()
    assert [[segment[name] for name in names] for segment in told["segments"]] == [
        [segment[name] for name in names] for segment in first["segments"]
    ]
    assert [segment["audio_url"] for segment in told["segments"]] == [None, None]
    assert AuditEntry.objects.get(action="job.replay").address == "127.0.0.1"


@pytest.mark.parametrize(("body", "pending"), [({}, True), ({"verify": False}, None)])
def test_a_replay_is_compared_unless_one_says_no(
    program: Caller, job: Job, body: dict[str, Any], pending: bool | None
) -> None:
    told = program.post(f"/api/v1/jobs/{job.pk}/replay", body).json()
    replay = program.get(told["links"]["self"]).json()["replay"]
    assert (replay and replay["pending"]) == pending


def test_a_verdict_is_told(program: Caller, job: Job, owner: User, make_job: Callable[..., Job]) -> None:
    change = {"what": "device", "before": "cpu", "after": "cuda"}
    verdict = {"identical": False, "segment": 1, "compared": 2, "changed": [change]}
    replay = make_job(owner, status=Status.COMPLETED, replay_of=job, verdict=verdict)
    assert program.get(f"/api/v1/jobs/{replay.pk}").json()["replay"] == {**verdict, "pending": False}
    failed = make_job(owner, status=Status.FAILED, replay_of=job, verdict={"pending": True})
    told = program.get(f"/api/v1/jobs/{failed.pk}").json()["replay"]
    assert (told["identical"], told["pending"]) == (None, False)


def test_an_idempotency_key_returns_the_first_replay(program: Caller, job: Job) -> None:
    headers = {"Idempotency-Key": "audit 7"}
    first = program.post(f"/api/v1/jobs/{job.pk}/replay", {"verify": True}, **headers).json()
    store.remove(job.voice.path)
    again = program.post(f"/api/v1/jobs/{job.pk}/replay", {"verify": True}, **headers)
    assert (again.status_code, again.json()) == (202, first)
    assert Job.objects.filter(replay_of=job).count() == 1
    too_long = program.post(f"/api/v1/jobs/{job.pk}/replay", {}, **{"Idempotency-Key": "x" * 201})
    assert list(too_long.json()["error"]["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.PAUSED])
def test_only_jobs_that_have_ended_are_replayed(
    program: Caller, owner: User, make_job: Callable[..., Job], status: Status
) -> None:
    answer = program.post(f"/api/v1/jobs/{make_job(owner, status=status).pk}/replay", {"verify": True})
    assert answer.status_code == 409
    assert status.capitalize() in answer.json()["error"]["message"]
    assert Job.objects.count() == 1


def test_verify_is_yes_or_no(program: Caller, job: Job) -> None:
    answer = program.post(f"/api/v1/jobs/{job.pk}/replay", {"verify": "perhaps"})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["verify"])


def test_a_redone_segment_is_told_with_its_version(program: Caller, job: Job) -> None:
    body = {"text": "And once again.", "speed": "1.25"}
    answer = program.post(f"/api/v1/jobs/{job.pk}/segments/1/redo", body)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["version"], told["seed"]) == (2, job.seed)
    assert told["segment"] == {
        "index": 1,
        "seed": job.seed + 1,
        "text": "And once again.",
        "speed": 1.25,
        "instruct": "",
        "voice": job.voice_id,
    }
    version = program.get(told["links"]["self"]).json()
    assert (version["revision_of"], version["text"], version["segments_done"]) == (job.pk, job.text, 1)
    kept, new = version["segments"]
    heard = program.client.head(kept["audio_url"])
    assert (heard.status_code, heard["Content-Length"]) == (200, str(len(b"audio of 0")))
    assert (new["audio_url"], new["text"]) == (None, "And once again.")
    events = program.get(told["links"]["events"]).json()["events"]
    assert [event["kind"] for event in events] == ["queued", "redo"]
    assert events[1]["redo"]["changed"] == ["seed", "text", "speed"]
    assert events[1]["message"] == f"alice has segment 2 made again, with seed {job.seed + 1}"


def test_outputs_are_those_of_all_versions_newest_first(
    program: Caller, job: Job, owner: User, make_job: Callable[..., Job]
) -> None:
    second = make_job(owner, status=Status.COMPLETED, revision_of=job, version=2)
    make_job(owner, status=Status.COMPLETED)
    for made in (job, second):
        for kind in ("wav", "flac"):
            name = f"{made.pk}.{kind}"
            Output.objects.create(
                job=made,
                version=made.version,
                format=kind,
                name=name,
                path=name,
                sha256="0" * 64,
                size_bytes=1,
                duration_s=1,
            )
    for asked in (job, second):
        items = program.get(f"/api/v1/jobs/{asked.pk}/outputs").json()["items"]
        assert [(item["version"], item["job"], item["format"]) for item in items] == [
            (2, second.pk, "flac"),
            (2, second.pk, "wav"),
            (1, job.pk, "flac"),
            (1, job.pk, "wav"),
        ]


@pytest.mark.parametrize(
    ("index", "body", "field"),
    [(7, {}, "index"), ("x", {}, "index"), (2**70, {}, "index"), (0, {"seed": -1, "text": "a"}, "seed")],
)
def test_a_wrong_redo_names_its_field(
    program: Caller, job: Job, index: object, body: dict[str, Any], field: str
) -> None:
    answer = program.post(f"/api/v1/jobs/{job.pk}/segments/{index}/redo", body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
    assert Job.objects.count() == 1


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.FAILED, Status.CANCELLED])
def test_a_segment_is_only_redone_in_completed_and_paused_jobs(program: Caller, job: Job, status: Status) -> None:
    Job.objects.filter(pk=job.pk).update(status=status)
    assert program.post(f"/api/v1/jobs/{job.pk}/segments/0/redo", {}).status_code == 409


def test_a_job_with_versions_takes_no_more_queries(
    program: Caller, job: Job, owner: User, make_job: Callable[..., Job], django_assert_num_queries: Any
) -> None:
    for version in (2, 3, 4):
        make_job(owner, status=Status.COMPLETED, revision_of=job, version=version)
    program.get("/api/v1/jobs")
    with django_assert_num_queries(3):  # key, job, outputs
        program.get(f"/api/v1/jobs/{job.pk}/outputs")
