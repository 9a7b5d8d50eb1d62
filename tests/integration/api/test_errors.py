"""One shape for everything that goes wrong."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from synthesis.api import limits
from synthesis.models import Job
from tests.integration.api.conftest import Caller


def shape(answer: Any) -> set[str]:
    assert answer["Content-Type"].startswith("application/json")
    assert list(answer.json()) == ["error"]
    return set(answer.json()["error"])


@pytest.mark.parametrize(
    "path", ["/api/", "/api/nope", "/api/v1", "/api/v2/jobs", "/api/v1/jobs/", "/api/v1/jobs/x/y/z"]
)
def test_an_unknown_address(path: str, nobody: Caller) -> None:
    for answer in (nobody.get(path), nobody.post(path, {})):
        assert answer.status_code == 404
        assert shape(answer) == {"code", "message", "hint", "fields"}


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/voices/abc", "/api/v1/text/split"])
def test_a_wrong_method(path: str, program: Caller) -> None:
    answer = program.client.put(path)
    assert answer.status_code == 405
    assert answer["Allow"]
    assert shape(answer) == {"code", "message", "hint", "fields"}


@pytest.mark.parametrize(
    ("language", "message"), [("en", "There is nothing at this address."), ("zh", None), ("fr", None)]
)
def test_errors_speak_the_callers_language(language: str, message: str | None, nobody: Caller) -> None:
    said = nobody.get("/api/nope", **{"Accept-Language": language}).json()["error"]["message"]
    assert (said == "There is nothing at this address.") is (message is not None)


def test_a_fault_of_ours_is_logged_and_tells_nothing_of_the_inside(
    program: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    program.get("/api/v1/system")
    with connection.cursor() as cursor:  # a real failure: the database lost a table
        cursor.execute("ALTER TABLE synthesis_job RENAME TO synthesis_job_lost")
    answer = program.get("/api/v1/jobs")
    assert answer.status_code == 500
    assert shape(answer) == {"code", "message", "hint", "fields"}
    assert "synthesis_job" not in answer.content.decode()
    assert "synthesis_job" in caplog.text


@pytest.mark.usefixtures("voice")
def test_too_many_requests_are_refused_until_the_minute_is_over(
    program: Caller, monkeypatch: pytest.MonkeyPatch, browser: Caller
) -> None:
    minute = time.time() // limits.WINDOW_S * limits.WINDOW_S
    clock = [minute + 20.0]
    monkeypatch.setattr("synthesis.api.limits.time.time", lambda: clock[0])
    codes = [browser.post("/api/v1/keys", {}).status_code for _ in range(31)]
    assert codes == [201] * 30 + [429]
    answer = browser.post("/api/v1/keys", {})
    assert answer["Retry-After"] == "40"
    assert answer.json()["error"]["code"] == "rate_limited"
    assert program.post("/api/v1/jobs", {"text": "Hello."}).status_code == 202  # counted on its own
    clock[0] += 60
    assert browser.post("/api/v1/keys", {}).status_code == 201


def test_a_form_with_too_many_fields_is_refused(program: Caller) -> None:
    fields = {f"f{n}": "x" for n in range(django_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    answer = program.client.post("/api/v1/voices", fields)
    assert answer.status_code == 400
    assert shape(answer) == {"code", "message", "hint", "fields"}


def test_a_broken_form_is_refused(program: Caller) -> None:
    answer = program.client.post("/api/v1/voices", b"--x\r\nnonsense", content_type="multipart/form-data")
    assert answer.status_code == 400
    assert shape(answer) == {"code", "message", "hint", "fields"}
    assert not Job.objects.exists()
