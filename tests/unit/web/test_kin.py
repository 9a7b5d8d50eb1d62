"""What the page of a job says about its versions and replays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from synthesis.models import Job, User
from synthesis.vocabulary import Status
from tests.unit.web.conftest import browser_of

CHANGED = [
    {"what": "libraries.torch", "before": "2.9", "after": "3.0"},
    {"what": "voice_gone", "before": "a" * 64, "after": ""},
]
DIFFERS = {"identical": False, "segment": 1, "compared": 2, "changed": CHANGED}
IDENTICAL: dict[str, object] = {"identical": True, "segment": None, "compared": 1, "changed": []}


@pytest.fixture
def first(owner: User, make_job: Callable[..., Job]) -> Job:
    return make_job(owner, status=Status.COMPLETED, segments_total=1)


def page_of(browser: Client, job: Job) -> str:
    return browser.get(f"/jobs/{job.pk}/").content.decode()


@pytest.mark.parametrize(
    ("verdict", "status", "words"),
    [
        (IDENTICAL, Status.COMPLETED, ["Identical to the sample"]),
        (DIFFERS, Status.COMPLETED, ["Differs from segment 2 on", "torch", "2.9", "recording of the voice", "gone"]),
        ({**DIFFERS, "changed": []}, Status.COMPLETED, ["nothing known explains it"]),
        ({**IDENTICAL, "compared": 1}, Status.COMPLETED, ["1 of 3 segments were compared"]),
        ({**DIFFERS, "segment": None}, Status.COMPLETED, ["joined differently"]),
        ({"pending": True}, Status.RUNNING, ["compared when it is done"]),
        ({"pending": True}, Status.FAILED, ["did not finish"]),
        (None, Status.COMPLETED, ["not compared"]),
    ],
)
def test_a_replay_says_what_came_of_it_and_both_jobs_lead_to_each_other(
    browser: Client, owner: User, make_job: Callable[..., Job], first: Job, verdict: Any, status: Status, words: Any
) -> None:
    replay = make_job(owner, status=status, replay_of=first, verdict=verdict, segments_total=3)
    page = page_of(browser, replay)
    for word in words:
        assert word in page
    assert f'href="/jobs/{first.pk}/"' in page
    assert f'href="/jobs/{replay.pk}/"' in page_of(browser, first)


def test_a_job_that_replays_nothing_has_no_verdict(browser: Client, first: Job) -> None:
    page = page_of(browser, first)
    assert '<div id="verdict" hidden>' in page
    assert "versions" not in page.partition('class="job-page"')[2].partition("job-log")[0]


def test_a_replay_of_somebody_elses_job_leads_nowhere(
    browser: Client, owner: User, teammate: User, make_job: Callable[..., Job]
) -> None:
    theirs = make_job(teammate, status=Status.COMPLETED)
    page = page_of(browser, make_job(owner, replay_of=theirs, verdict=IDENTICAL, status=Status.COMPLETED))
    assert "Replay of a job you cannot see" in page
    assert theirs.pk not in page


def test_versions_are_switched_between(
    browser: Client, owner: User, make_job: Callable[..., Job], first: Job, teammate: User
) -> None:
    second = make_job(owner, status=Status.FAILED, revision_of=first, version=2)
    third = make_job(owner, status=Status.COMPLETED, revision_of=first, version=3)
    for shown in (first, second, third):
        page = page_of(browser, shown)
        assert f'href="/jobs/{shown.pk}/" aria-current="true"' in page
        for told in (">v1<", ">v2 · Failed<", ">v3 · newest<"):
            assert told in page
    history = browser.get("/jobs/").content.decode()
    assert history.count('class="tag"') == 2
    assert browser_of(teammate).get(f"/jobs/{second.pk}/").status_code == 404


def test_the_page_takes_as_many_queries_with_many_kin(
    browser: Client, owner: User, make_job: Callable[..., Job], first: Job
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page_of(browser, first)
        return len(seen)

    few = queries()
    for version in range(2, 12):
        make_job(owner, status=Status.COMPLETED, revision_of=first, version=version)
        make_job(owner, status=Status.COMPLETED, replay_of=first, verdict=IDENTICAL)
    assert queries() == few
