"""Every page, with and without a login, in both languages, and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from synthesis.jobs import intake
from synthesis.models import Batch, Control, Job, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import Status
from tests.conftest import make_voice
from tests.unit.web.conftest import browser_of

PAGES = ["/", "/jobs/", "/voices/", "/system/", "/account/", "/account/password/"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_a_login(db: None, page: str) -> None:
    response = Client().get(page)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={page}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_somebody_with_nothing_yet(browser: Client, page: str) -> None:
    assert browser.get(page).status_code == 200


@pytest.mark.parametrize(("language", "word"), [("en", "Generate"), ("zh-hans", "生成")])
def test_the_studio_speaks_both_languages(owner: User, voice: Voice, language: str, word: str) -> None:
    page = browser_of(owner, language).get("/").content.decode()
    assert word in page
    assert f'<html lang="{language}">' in page


@pytest.mark.parametrize("status", list(Status))
def test_a_job_page_in_every_status(browser: Client, owner: User, make_job: Callable[..., Job], status: Status) -> None:
    job = make_job(owner, status=status, segments_total=1, error_code="out_of_memory" if status == "failed" else "")
    response = browser.get(f"/jobs/{job.pk}/")
    assert response.status_code == 200
    assert job.title in response.content.decode()


@pytest.mark.parametrize(("duration_s", "marked"), [(0.5, True), (2.5, False)])
def test_a_segment_too_short_for_its_text_is_marked(
    browser: Client, owner: User, make_job: Callable[..., Job], duration_s: float, marked: bool
) -> None:
    job = make_job(owner, status=Status.COMPLETED, text="The second one tells of a walk along the river.")
    job.segments.update(audio_path="segments/x.wav", duration_s=duration_s)
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert ('data-odd="segment_short" title="Words may be missing.' in page) == marked


def test_a_stranger_sees_no_job(teammate: User, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, text="A secret text.")
    stranger = browser_of(teammate)
    assert stranger.get(f"/jobs/{job.pk}/").status_code == 404
    assert stranger.get(f"/jobs/{job.pk}/log.txt").status_code == 404
    assert "secret" not in stranger.get("/jobs/").content.decode()


def test_an_administrator_sees_every_job(administrator: User, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner)
    admin = browser_of(administrator)
    assert admin.get(f"/jobs/{job.pk}/").status_code == 200
    assert job.pk in admin.get("/jobs/").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=hello", True),
        ("q=hello+there", True),
        ("q=goodbye", False),
        ("q=7", True),
        ("q=Ready", True),
        ("status=failed", False),
        ("status=active", True),
        ("status=nonsense", True),
        ("voice=nonsense", False),
        ("page=nonsense", True),
        ("q=%00", True),
        ("q=99999999999999999999999", False),
    ],
)
def test_history_searches_and_filters(
    browser: Client, owner: User, make_job: Callable[..., Job], query: str, found: bool
) -> None:
    job = make_job(owner)
    response = browser.get(f"/jobs/?{query}")
    assert response.status_code == 200
    assert (f'data-job="{job.pk}"' in response.content.decode()) is found


def test_history_has_pages(browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    for _number in range(26):
        make_job(owner)
    assert browser.get("/jobs/?page=2").content.decode().count("data-job=") == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_without_javascript_makes_a_job(browser: Client, voice: Voice) -> None:
    response = browser.post("/", {"text": "Hello there.", "prompt_audio": voice.pk, "seed": "5", "takes": "1"})
    job = Job.objects.get()
    assert response["Location"] == f"/jobs/{job.pk}/"
    assert (job.seed, job.text) == (5, "Hello there.")


@pytest.mark.django_db(transaction=True)
def test_takes_make_several_jobs(browser: Client, voice: Voice) -> None:
    response = browser.post("/", {"text": "Hello there.", "takes": "3"})
    assert response["Location"] == f"/batches/{Batch.objects.get().pk}/"
    assert Job.objects.count() == 3


def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(browser: Client, voice: Voice) -> None:
    response = browser.post("/", {"text": "Hello there.", "seed": "minus one", "speed": "9"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "Hello there." in page
    assert "This must be a number from 0.5 to 2.0." in page
    assert Job.objects.count() == 0


def test_a_job_can_be_used_again(browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, text="Once more.", instruct="gently")
    page = browser.get(f"/?job={job.pk}").content.decode()
    assert "Once more." in page
    assert 'value="gently"' in page


def test_a_voice_is_uploaded_without_javascript(browser: Client, owner: User) -> None:
    recording = Path(store.open_path(make_voice().path)).read_bytes()
    fields = {"name": "Mine", "consent": "true", "audio": SimpleUploadedFile("a.wav", recording)}
    assert browser.post("/voices/", fields).status_code == 302
    assert Voice.objects.get(owner=owner).name == "Mine"


def test_a_voice_needs_consent_and_a_file(browser: Client, owner: User) -> None:
    response = browser.post("/voices/", {"name": "Mine"})
    assert response.status_code == 422
    assert not Voice.objects.filter(owner=owner).exists()


def test_only_its_owner_deletes_a_voice(browser: Client, owner: User, teammate: User) -> None:
    voice = make_voice("Mine", owner=owner, shared=True)
    assert browser_of(teammate).post(f"/voices/{voice.pk}/delete/").status_code == 404
    assert browser.get(f"/voices/{voice.pk}/delete/").status_code == 405
    assert browser.post(f"/voices/{voice.pk}/delete/").status_code == 302
    assert not Voice.objects.present().filter(pk=voice.pk).exists()


def test_a_text_is_never_markup(browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    job = make_job(owner, text="<script>alert(1)</script>")
    for page in ("/", "/jobs/", f"/jobs/{job.pk}/", f"/?job={job.pk}"):
        assert "<script>alert" not in browser.get(page).content.decode()


def test_the_whole_log_is_a_text_file(browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    response = browser.get(f"/jobs/{make_job(owner).pk}/log.txt")
    assert response["Content-Type"].startswith("text/plain")
    assert "attachment" in response["Content-Disposition"]


def test_a_place_in_the_queue_is_a_sentence_from_the_first_view_on(
    owner: User, browser: Client, make_job: Callable[..., Job]
) -> None:
    jobs = [make_job(owner) for _ in range(3)]
    words = ["next in line", "1 job ahead", "2 jobs ahead"]
    for job, sentence in zip(jobs, words, strict=True):
        assert sentence in browser.get(f"/jobs/{job.pk}/").content.decode()
    for page in ("/", "/jobs/"):
        assert all(sentence in browser.get(page).content.decode() for sentence in words)
    assert "前面还有 2 个任务" in browser_of(owner, "zh-hans").get("/jobs/").content.decode()


@pytest.mark.parametrize("page", ["/", "/jobs/", "/system/"])
def test_everybody_reads_that_the_queue_is_paused_and_by_whom(browser: Client, administrator: User, page: str) -> None:
    box = re.compile(r'id="queue-pause" role="status" (hidden)?')
    found = box.search(browser.get(page).content.decode())
    assert found
    assert found.group(1)
    intake.pause(by=administrator, address=None)
    source = browser.get(page).content.decode()
    found = box.search(source)
    assert found
    assert not found.group(1)
    assert "The queue is paused by root." in source


def test_a_batch_has_a_page_for_who_may_see_its_jobs(
    browser: Client, owner: User, teammate: User, administrator: User, make_job: Callable[..., Job]
) -> None:
    batch = Batch.objects.create(owner=owner, title="lines.txt")
    job = make_job(owner, batch=batch, label="7 · 0:00:01.000 → 0:00:02.000")
    other = make_job(owner)
    source = browser.get(f"/batches/{batch.pk}/").content.decode()
    assert job.pk in source
    assert other.pk not in source
    assert "7 · 0:00:01.000 → 0:00:02.000 · Hello there." in source
    assert browser_of(administrator).get(f"/batches/{batch.pk}/").status_code == 200
    for path in (f"/batches/{batch.pk}/", f"/batches/{batch.pk}/download"):
        assert browser_of(teammate).get(path).status_code == 404
        assert Client().get(path, headers={"Accept": "text/html"}).status_code == 302
    assert Client().get(f"/batches/{batch.pk}/download").status_code == 401
    found = browser.get(f"/jobs/?batch={batch.pk}").content.decode()
    assert job.pk in found
    assert other.pk not in found
    assert browser.get("/jobs/?batch=%00").status_code == 200


TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_need_nothing_that_the_policy_forbids(template: Path) -> None:
    source = template.read_text()
    assert not re.search(r"\sstyle=", source)
    assert not re.search(r"\son[a-z]+=", source)
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", source)


def test_what_was_asked_names_the_voice(browser: Client, owner: User, make_job: Callable[..., Job]) -> None:
    job, other = make_job(owner, status=Status.RUNNING), make_voice("Mingyuan")
    Control.objects.create(job=job, command="voice", value=other.pk, asked_by=owner)
    assert '"voice_name": "Mingyuan"' in browser.get(f"/jobs/{job.pk}/").content.decode()
