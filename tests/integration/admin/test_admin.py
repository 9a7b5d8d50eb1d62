"""The admin: every page opens for administrators and for nobody else, and what is a fact stays one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from synthesis.admin import records
from synthesis.models import ApiKey, AuditEntry, Event, Job, User, Voice
from synthesis.vocabulary import Status

OURS = sorted(str(model._meta.model_name) for model in admin.site._registry if model._meta.app_label == "synthesis")
EACH = pytest.mark.parametrize("name", OURS)
READ_ONLY = [name for name in OURS if name != "user"]
Everything = dict[str, Model]


def url(name: str, page: str, *args: object) -> str:
    return reverse(f"admin:synthesis_{name}_{page}", args=args)


def test_every_entity_has_a_page(everything: Everything) -> None:
    assert set(OURS) == set(everything)


@EACH
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_opens_for_an_administrator(
    name: str, language: str, everything: Everything, admin_browser: Client
) -> None:
    headers = {"Accept-Language": language}
    for page in (
        url(name, "changelist"),
        url(name, "change", everything[name].pk),
        url(name, "history", everything[name].pk),
    ):
        assert admin_browser.get(page, headers=headers).status_code == 200, page
    assert admin_browser.get(url(name, "changelist") + "?q=7", headers=headers).status_code == 200


@EACH
def test_every_page_refuses_a_member_and_nobody(name: str, everything: Everything, owner: User) -> None:
    member = Client()
    member.force_login(owner)
    for client in (member, Client()):
        for page in (url(name, "changelist"), url(name, "change", everything[name].pk)):
            answer = client.get(page)
            assert answer.status_code == 302, page
            assert "login" in answer["Location"]


@pytest.mark.parametrize("name", READ_ONLY)
def test_facts_are_neither_added_nor_changed_nor_deleted(
    name: str, everything: Everything, admin_browser: Client
) -> None:
    one = everything[name]
    before = type(one)._default_manager.values().get(pk=one.pk)
    assert admin_browser.post(url(name, "add"), {}).status_code == 403
    assert admin_browser.post(url(name, "change", one.pk), {"name": "x", "text": "x"}).status_code == 403
    assert admin_browser.post(url(name, "delete", one.pk), {"post": "yes"}).status_code == 403
    admin_browser.post(
        url(name, "changelist"), {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}
    )
    assert type(one)._default_manager.values().get(pk=one.pk) == before


def test_a_member_is_made_and_deactivated_but_not_deleted(admin_browser: Client, owner: User) -> None:
    password = "correct horse battery staple"
    form = {"username": "carol", "password1": password, "password2": password, "usable_password": "true"}
    assert admin_browser.post(url("user", "add"), form).status_code == 302
    assert User.objects.get(username="carol").check_password(password)
    assert admin_browser.post(url("user", "delete", owner.pk), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_keys_are_revoked_with_a_trace(everything: Everything, admin_browser: Client, administrator: User) -> None:
    key = everything["apikey"]
    order = {"action": "revoke", "_selected_action": [key.pk]}
    assert "1 key was revoked." in admin_browser.post(url("apikey", "changelist"), order, follow=True).content.decode()
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None
    assert AuditEntry.objects.get(action="key.revoke").actor == administrator
    assert "revoked before" in admin_browser.post(url("apikey", "changelist"), order, follow=True).content.decode()


@pytest.mark.parametrize("query", ["{id}", "gentle words", "4711", "alice", "a.wav"])
def test_a_job_is_found_by(query: str, everything: Everything, admin_browser: Client, owner: User) -> None:
    job = everything["job"]
    Job.objects.filter(pk=job.pk).update(text="Some gentle words.", seed=4711)
    Job.objects.create(owner=other(), voice=Voice.objects.get(), text="x", seed=1, queued_at=timezone.now())
    page = admin_browser.get(url("job", "changelist"), {"q": query.format(id=job.pk)}).content.decode()
    assert url("job", "change", job.pk) in page
    assert "1 job" in page


def other() -> User:
    return User.objects.create_user("dave", password="correct horse battery")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status__exact": "completed"}, 1),
        ({"status__exact": "failed"}, 0),
        ({"engine": "embedded"}, 1),
        ({"engine": "cosyvoice3"}, 0),
        ({"mode__exact": "zero_shot"}, 1),
        ({"created_at__gte": "2999-01-01 00:00:00+00:00", "created_at__lt": "2999-01-02 00:00:00+00:00"}, 0),
    ],
)
def test_jobs_are_filtered(query: dict[str, str], found: int, everything: Everything, admin_browser: Client) -> None:
    answer = admin_browser.get(url("job", "changelist"), query)
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == found


def test_a_job_leads_to_its_events_outputs_and_audit(everything: Everything, admin_browser: Client) -> None:
    job = everything["job"]
    page = admin_browser.get(url("job", "change", job.pk)).content.decode()
    assert "/outputs/a.wav?download" in page
    of_job = f"?job__id__exact={job.pk}"
    for link in (
        url("event", "changelist") + of_job,
        url("output", "changelist") + of_job,
        url("auditentry", "changelist") + f"?q={job.pk}",
    ):
        assert link in page
        answer = admin_browser.get(link)
        assert answer.context["cl"].result_count == 1, link
    for name in ("event", "output"):
        assert url("job", "change", job.pk) in admin_browser.get(url(name, "changelist")).content.decode()


def test_events_of_a_job_are_in_order_and_have_a_level_filter(everything: Everything, admin_browser: Client) -> None:
    job = everything["job"]
    Event.objects.bulk_create(
        Event(job_id=job.pk, seq=seq, at=timezone.now(), status="running", kind="log", level="DEBUG", data={})
        for seq in (4, 3, 2)
    )
    listed = admin_browser.get(url("event", "changelist"), {"job__id__exact": job.pk}).context["cl"]
    assert [event.seq for event in listed.result_list] == [1, 2, 3, 4]
    assert listed.has_filters
    assert not admin_browser.get(url("event", "changelist")).context["cl"].has_filters
    debug = admin_browser.get(url("event", "changelist"), {"job__id__exact": job.pk, "level": "DEBUG"}).context["cl"]
    assert debug.result_count == 3


@pytest.mark.parametrize("name", ["job", "event", "output", "voice", "auditentry"])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(
    name: str, everything: Everything, admin_browser: Client, make_job: Callable[..., Job], owner: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert admin_browser.get(url(name, "changelist")).status_code == 200
        return len(seen)

    few = queries()
    for _ in range(10):
        make_job(owner, status=Status.QUEUED)
    Event.objects.bulk_create(
        Event(job_id=everything["job"].pk, seq=seq, at=timezone.now(), status="running", kind="log", data={})
        for seq in range(100, 130)
    )
    assert queries() == few


def test_counting_stops(everything: Everything, admin_browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "COUNTED", 5)
    job = everything["job"]
    Event.objects.bulk_create(
        Event(job_id=job.pk, seq=seq, at=timezone.now(), status="running", kind="log", data={})
        for seq in range(100, 120)
    )
    assert admin_browser.get(url("event", "changelist")).context["cl"].result_count == 5


def test_an_audit_entry_outlives_its_user(admin_browser: Client) -> None:
    gone = other()
    entry = AuditEntry.objects.create(actor=gone, actor_name="dave", action="login")
    User.objects.filter(pk=gone.pk).delete()
    assert "dave" in admin_browser.get(url("auditentry", "changelist")).content.decode()
    assert admin_browser.get(url("auditentry", "change", entry.pk)).status_code == 200


def test_stored_text_is_shown_as_text(everything: Everything, admin_browser: Client) -> None:
    job = everything["job"]
    evil: dict[str, Any] = {"text": "<script>alert(1)</script>"}
    Job.objects.filter(pk=job.pk).update(text=evil["text"], recipe=evil, fingerprint=evil)
    Event.objects.filter(job_id=job.pk).update(data=evil)
    event = Event.objects.get(job_id=job.pk)
    for page in (
        url("job", "changelist"),
        url("job", "change", job.pk),
        url("event", "change", event.pk),
        url("event", "changelist"),
    ):
        assert "<script>alert" not in admin_browser.get(page).content.decode()
