"""Audio over HTTP: ranges, validators, headers, and who may hear what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client

from synthesis.accounts import keys
from synthesis.models import Job, Output, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import Status
from tests.conftest import make_voice
from tests.unit.web.conftest import browser_of

CONTENT = bytes(range(256)) * 600  # several blocks
NAME = "output_20260101_000000_test.wav"
URL = f"/outputs/{NAME}"
SHA256 = "ab" * 32


@pytest.fixture
def output(owner: User, make_job: Callable[..., Job]) -> Output:
    job = make_job(owner, status=Status.COMPLETED)
    path = store.output_path(job.pk, NAME)
    with store.writing(path) as temporary:
        temporary.write_bytes(CONTENT)
    return Output.objects.create(
        job=job, format="wav", name=NAME, path=path, sha256=SHA256, size_bytes=len(CONTENT), duration_s=1.0
    )


def body(response: HttpResponseBase) -> bytes:
    if not isinstance(response, StreamingHttpResponse):
        return getattr(response, "content", b"")

    async def read() -> bytes:
        return b"".join([block async for block in response])

    return asyncio.run(read())


def test_the_whole_file(browser: Client, output: Output) -> None:
    response = browser.get(URL)
    assert response.status_code == 200
    assert body(response) == CONTENT
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Content-Type"] == "audio/wav"
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == f'"{SHA256}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=100000-", 100_000, len(CONTENT)),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
        ("bytes=-99999999", 0, len(CONTENT)),
        ("bytes=5-99999999", 5, len(CONTENT)),
    ],
)
def test_a_part(browser: Client, output: Output, wanted: str, start: int, end: int) -> None:
    response = browser.get(URL, headers={"range": wanted})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert body(response) == CONTENT[start:end]


@pytest.mark.parametrize("wanted", [f"bytes={len(CONTENT)}-", "bytes=99999999-", "bytes=-0"])
def test_a_part_outside_is_refused(browser: Client, output: Output, wanted: str) -> None:
    response = browser.get(URL, headers={"range": wanted})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=9-3", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=٣-٤"])
def test_a_range_that_is_none_is_ignored(browser: Client, output: Output, wanted: str) -> None:
    response = browser.get(URL, headers={"range": wanted})
    assert response.status_code == 200
    assert body(response) == CONTENT


def test_if_range_gives_the_part_only_of_the_same_file(browser: Client, output: Output) -> None:
    same = browser.get(URL, headers={"range": "bytes=0-9", "if-range": f'"{SHA256}"'})
    other = browser.get(URL, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_known_file_is_not_sent_again(browser: Client, output: Output) -> None:
    assert browser.get(URL, headers={"if-none-match": f'"{SHA256}"'}).status_code == 304


def test_head_tells_without_sending(browser: Client, output: Output) -> None:
    response = browser.head(URL)
    assert response.status_code == 200
    assert response["Content-Length"] == str(len(CONTENT))
    assert body(response) == b""


def test_download_makes_an_attachment(browser: Client, output: Output) -> None:
    assert browser.get(f"{URL}?download")["Content-Disposition"] == f'attachment; filename="{NAME}"'


def test_strangers_learn_nothing(teammate: User, output: Output) -> None:
    assert browser_of(teammate).get(URL).status_code == 404


def test_administrators_hear_everything(administrator: User, output: Output) -> None:
    assert browser_of(administrator).get(URL).status_code == 200


def test_people_without_a_login_are_sent_there_and_programs_are_told(output: Output) -> None:
    assert Client().get(URL, headers={"accept": "text/html"}).status_code == 302
    assert Client().get(URL).status_code == 401


def test_an_api_key_opens_and_a_wrong_one_does_not(owner: User, output: Output) -> None:
    _key, token = keys.create(owner, "test", by=owner, address=None)
    assert Client().get(URL, headers={"authorization": f"Bearer {token}"}).status_code == 200
    assert Client().get(URL, headers={"authorization": f"Bearer {token}x"}).status_code == 401


def test_a_wrong_key_is_not_rescued_by_a_session(browser: Client, output: Output) -> None:
    assert browser.get(URL, headers={"authorization": "Bearer cwk_a_b"}).status_code == 401


def test_a_missing_file_is_not_found(browser: Client, output: Output) -> None:
    Path(store.open_path(output.path)).unlink()
    assert browser.get(URL).status_code == 404


def test_a_segment_is_heard_when_it_is_ready(browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner)
    url = f"/jobs/{job.pk}/segments/0.wav"
    assert browser.get(url).status_code == 404
    path = store.segment_path(job.pk, 0, 1)
    with store.writing(path) as temporary:
        temporary.write_bytes(b"RIFF")
    job.segments.update(audio_path=path, sha256=SHA256)
    assert body(browser.get(url)) == b"RIFF"


def test_segments_of_others_are_not_found(teammate: User, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner)
    job.segments.update(audio_path="segments/x.wav", sha256=SHA256)
    assert browser_of(teammate).get(f"/jobs/{job.pk}/segments/0.wav").status_code == 404


def test_voices_are_heard_by_whom_they_are_shared_with(owner: User, teammate: User) -> None:
    private = make_voice("private", owner=owner)
    url = f"/voices/{private.pk}/audio.wav"
    assert browser_of(owner).get(url).status_code == 200
    assert browser_of(teammate).get(url).status_code == 404
    Voice.objects.update(shared=True)
    assert browser_of(teammate).get(url).status_code == 200
