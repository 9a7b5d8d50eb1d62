"""Replaying jobs from the administration, and finding them by their verdict."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from synthesis.models import AuditEntry, Job, Segment, User
from synthesis.vocabulary import Status

LIST = reverse("admin:synthesis_job_changelist")
CHANGED = [{"what": "device", "before": "cpu", "after": "cuda"}]


def test_an_administrator_replays_many_jobs_at_once(
    admin_browser: Client, administrator: User, owner: User, make_job: Callable[..., Job]
) -> None:
    ended = [make_job(owner, status=Status.COMPLETED), make_job(owner, status=Status.FAILED)]
    waiting = make_job(owner)
    Segment.objects.filter(job=ended[0]).update(sha256="0" * 64, audio_path="x.wav")
    order = {"action": "replay", "_selected_action": [job.pk for job in [*ended, waiting]]}
    page = admin_browser.post(LIST, order, follow=True).content.decode()
    assert "2 jobs are being replayed." in page
    assert f"Job {waiting.pk}: Only a job that has ended can be replayed" in page
    replays = {job.replay_of_id: job for job in Job.objects.filter(owner=administrator)}
    assert set(replays) == {job.pk for job in ended}
    assert replays[ended[0].pk].verdict == {"pending": True}
    assert replays[ended[1].pk].verdict is None
    assert set(AuditEntry.objects.filter(action="job.replay").values_list("actor__username", flat=True)) == {"root"}


def test_a_member_replays_nothing_there(owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, status=Status.COMPLETED)
    member = Client()
    member.force_login(owner)
    assert member.post(LIST, {"action": "replay", "_selected_action": [job.pk]}).status_code == 302
    assert Job.objects.count() == 1


@pytest.mark.parametrize("word", ["identical", "differs", "pending"])
def test_replays_are_found_by_their_verdict(
    admin_browser: Client, owner: User, make_job: Callable[..., Job], word: str
) -> None:
    first = make_job(owner, status=Status.COMPLETED)
    verdict: dict[str, object] = {"segment": None, "compared": 1, "changed": []}
    made = {
        "identical": make_job(owner, replay_of=first, verdict={**verdict, "identical": True}),
        "differs": make_job(owner, replay_of=first, verdict={**verdict, "identical": False, "segment": 0}),
        "pending": make_job(owner, replay_of=first, verdict={"pending": True}),
    }
    found = admin_browser.get(LIST, {"verdict": word}).context["cl"].queryset
    assert list(found) == [made[word]]


def test_a_jobs_page_says_what_changed(admin_browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    verdict = {"identical": False, "segment": 1, "compared": 3, "changed": CHANGED}
    job = make_job(owner, replay_of=make_job(owner), verdict=verdict)
    page = admin_browser.get(reverse("admin:synthesis_job_change", args=[job.pk])).content.decode()
    assert "Differs from segment 2 on: device cpu → cuda" in page
