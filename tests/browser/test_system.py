"""The system page: live meters with a past, and an administrator's buttons."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage


def test_an_administrator_unloads_the_model_and_restarts_the_worker(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/system/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    for name in ("Processor", "Memory", "Disk", "Queue"):
        expect(page.get_by_role("meter", name=name)).to_have_attribute("aria-valuetext", re.compile(r"\S, \S"))
    row = page.locator("#workers tr")
    expect(row).to_contain_text("model in memory")
    first = row.get_attribute("data-worker")

    page.get_by_role("button", name="Unload model").first.click()
    expect(row).to_contain_text("unloaded")
    expect(row).to_contain_text("model not in memory")

    page.get_by_role("button", name="Restart workers").click()
    expect(row).not_to_have_attribute("data-worker", str(first), timeout=90_000)
    expect(row).to_contain_text("model in memory", timeout=90_000)


def test_the_page_opens_with_a_past(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/system/")
    past = page.evaluate("JSON.parse(document.getElementById('past').textContent)")
    assert len(past["queue"]) >= 2
    assert {name.partition("@")[0] for name in past} >= {"cpu", "memory", "disk", "queue"}
