"""Keys, saved seeds, the text preview, the gauges and the health checks."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from synthesis.jobs import queue
from synthesis.models import ApiKey, AuditEntry, SavedSeed, User, Voice, WorkerState
from tests.conftest import make_voice
from tests.integration.api.conftest import Caller


def test_a_new_key_is_shown_once_and_works(browser: Caller) -> None:
    told = browser.post("/api/v1/keys", {"name": "nightly"}).json()
    assert Caller(Authorization=f"Bearer {told['key']}").get("/api/v1/jobs").status_code == 200
    (listed,) = browser.get("/api/v1/keys").json()["items"]
    assert "key" not in listed
    assert (listed["name"], listed["prefix"], listed["revoked_at"]) == ("nightly", told["prefix"], None)
    assert told["key"].split("_")[1] == told["prefix"]
    assert told["key"].split("_", 2)[2] not in str(ApiKey.objects.values())


def test_a_revoked_key_stays_in_the_list_and_opens_nothing(browser: Caller) -> None:
    told = browser.post("/api/v1/keys", {}).json()
    assert browser.delete(f"/api/v1/keys/{told['id']}").status_code == 204
    assert browser.get("/api/v1/keys").json()["items"][0]["revoked_at"]
    assert Caller(Authorization=f"Bearer {told['key']}").get("/api/v1/jobs").status_code == 401
    assert AuditEntry.objects.filter(action="key.revoke").count() == 1


def test_unknown_numbers_are_not_found(browser: Caller) -> None:
    for path in ("keys/999", "seeds/999", f"keys/{2**70}", f"seeds/{2**70}", "keys/x"):
        assert browser.delete(f"/api/v1/{path}").status_code == 404


def test_seeds_are_saved_listed_and_forgotten(program: Caller, voice: Voice, django_assert_num_queries: Any) -> None:
    first = program.post("/api/v1/seeds", {"seed": 1986, "voice": voice.pk, "note": "warm"})
    assert first.status_code == 201
    again = program.post("/api/v1/seeds", {"seed": 1986, "voice": voice.pk, "note": "warmer"}).json()
    assert (again["id"], again["note"], again["voice_name"]) == (first.json()["id"], "warmer", "Ready")
    other = program.post("/api/v1/seeds", {"seed": 7}).json()
    with django_assert_num_queries(2):
        assert [one["seed"] for one in program.get("/api/v1/seeds").json()["items"]] == [7, 1986]
    assert program.delete(f"/api/v1/seeds/{other['id']}").status_code == 204
    assert SavedSeed.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**53}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"seed": 1, "note": "x" * 121}, "note"),
    ],
)
def test_a_wrong_seed_is_refused(body: dict[str, Any], field: str, program: Caller) -> None:
    answer = program.post("/api/v1/seeds", body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
    assert not SavedSeed.objects.exists()


def test_a_seed_is_not_saved_with_a_strangers_voice(program: Caller, teammate: User) -> None:
    theirs = make_voice("Theirs", owner=teammate)
    assert program.post("/api/v1/seeds", {"seed": 1, "voice": theirs.pk}).status_code == 404


def test_a_text_is_cut_where_it_will_be_spoken(program: Caller) -> None:
    told = program.post(
        "/api/v1/text/split", {"text": "Hello there, my friend. 你好，世界！这是第二句话。\u200b"}
    ).json()
    assert [told["text"][piece["start"] : piece["end"]] for piece in told["segments"]] == [
        piece["text"] for piece in told["segments"]
    ]
    assert [piece["language"] for piece in told["segments"]] == ["en", "zh"]
    assert told["duration_s"] == pytest.approx(sum(piece["duration_s"] for piece in told["segments"]))
    assert 2 < told["duration_s"] < 10


def test_a_text_that_says_nothing_has_no_segments(program: Caller) -> None:
    assert program.post("/api/v1/text/split", {"text": " …"}).json()["segments"] == []


def test_a_long_text_is_cut_quickly_and_a_huge_one_refused(program: Caller) -> None:
    assert program.post("/api/v1/text/split", {"text": "你好。" * 6_000}).status_code == 200
    answer = program.post("/api/v1/text/split", {"text": "x" * 100_000})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["text"])


def worker(**more: Any) -> WorkerState:
    now = timezone.now()
    fields = {"name": "w1", "host": "h", "pid": 1, "engine": "embedded", "state": "idle", "started_at": now}
    return WorkerState.objects.create(**{**fields, "heartbeat_at": now, **more})


def test_the_gauges_tell_machine_workers_and_queue(program: Caller, owner: User, make_job: Callable[..., Any]) -> None:
    worker()
    worker(name="dead", heartbeat_at=timezone.now() - datetime.timedelta(hours=1))
    make_job(owner)
    told = program.get("/api/v1/system").json()
    assert [one["name"] for one in told["workers"]] == ["w1"]
    expected = {"queued": 1, "running": 0, "workers": 1, "paused": False, "paused_by": ""}
    assert told["queue"] == expected
    assert 0 < told["memory"]["used"] < told["memory"]["total"]


def test_health_needs_no_login(nobody: Caller) -> None:
    assert nobody.get("/healthz").json() == {"status": "ok"}
    answer = nobody.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "checks": {"database": True, "redis": True, "worker": False}}
    worker()
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert "no-store" in answer["Cache-Control"]


def test_not_ready_without_redis(nobody: Caller, settings: Any) -> None:
    worker()
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"
    queue._impatient.cache_clear()
    checks = nobody.get("/readyz").json()["checks"]
    queue._impatient.cache_clear()
    assert checks == {"database": True, "redis": False, "worker": True}
