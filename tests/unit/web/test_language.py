"""Whose choice of language holds: the person's, then the browser's cookie, then what the browser asks for."""

from __future__ import annotations

import pytest
from django.test import Client

from synthesis.accounts import keys
from synthesis.models import User
from tests.unit.web.conftest import browser_of


def language_of(client: Client, page: str = "/jobs/") -> str:
    return client.get(page).headers["Content-Language"]


def switch(client: Client, language: str) -> None:
    answer = client.post("/i18n/setlang/", {"language": language, "next": "/jobs/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/jobs/")


def test_without_a_choice_pages_are_as_the_browser_asks(owner: User) -> None:
    assert language_of(browser_of(owner, "en")) == "en"
    assert language_of(browser_of(owner, "zh-hans")) == "zh-hans"


def test_a_choice_is_stored_and_holds_in_every_browser(owner: User) -> None:
    switch(browser_of(owner, "zh-hans"), "en")
    owner.refresh_from_db()
    assert owner.language == "en"
    assert language_of(browser_of(owner, "zh-hans")) == "en"


def test_a_choice_outweighs_the_cookie_of_the_browser(owner: User) -> None:
    browser = browser_of(owner, "en")
    switch(browser, "en")
    User.objects.update(language="zh-hans")
    page = browser.get("/jobs/")
    assert page.headers["Content-Language"] == "zh-hans"
    assert '<html lang="zh-hans">' in page.content.decode()


def test_the_switch_works_without_a_login(db: None) -> None:
    nobody = Client(headers={"Accept-Language": "zh-hans"})
    assert language_of(nobody, "/accounts/login/") == "zh-hans"
    switch(nobody, "en")
    assert language_of(nobody, "/accounts/login/") == "en"


@pytest.mark.parametrize("wish", ["fr", "", "nonsense", "x" * 300])
def test_a_language_that_is_not_spoken_here_is_not_stored(owner: User, wish: str) -> None:
    switch(browser_of(owner, "en"), wish)
    owner.refresh_from_db()
    assert owner.language == ""


def test_an_administrators_typing_error_counts_as_no_choice(owner: User) -> None:
    User.objects.update(language="klingon")
    assert language_of(browser_of(owner, "en")) == "en"


def test_a_program_is_answered_in_the_language_it_asks_for(owner: User) -> None:
    User.objects.update(language="zh-hans")
    _key, secret = keys.create(owner, "test", by=owner, address=None)
    program = Client(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})
    answer = program.get("/api/v1/jobs/nothing")
    assert answer.json()["error"]["message"] == "This job does not exist."
    assert answer.headers["Content-Language"] == "en"


def test_what_a_page_asks_of_the_api_is_in_the_pages_language(owner: User) -> None:
    User.objects.update(language="zh-hans")
    answer = browser_of(owner, "en").get("/api/v1/jobs/nothing")
    assert answer.headers["Content-Language"] == "zh-hans"
