"""A running job is steered on its page, which tells truthfully what was asked and what was done."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

MANY_WORDS = "One more sentence that is spoken slowly, with many words and no end in sight. " * 60


def move_speed(page: Page, speed: str) -> None:
    page.locator("#steer-speed").evaluate("(range, speed) => range.value = speed", speed)
    page.locator("#steer-speed").dispatch_event("change")


def test_a_running_job_is_changed_paused_and_cancelled(open_page: OpenPage) -> None:
    page = open_page()
    page.fill("#text", MANY_WORDS)
    expect(page.locator(".text-copy .cut")).not_to_have_count(0)
    page.press("#text", "Control+Enter")
    card = page.locator("#job-list .job-card[data-status=running]").first
    expect(card).to_be_visible()
    page.goto(f"/jobs/{card.get_attribute('data-job')}/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")

    page.check("#steer-redo")
    move_speed(page, "1.5")
    first = page.locator("#asked-list li").first
    expect(first).to_have_attribute("data-state", "applied")
    expect(first).to_contain_text("from segment")
    expect(page.locator("#log-lines")).to_contain_text("is made again with what was changed")

    page.click("[data-command=pause]")
    expect(page.locator(".job-head [data-badge]")).to_have_attribute("data-status", "paused")
    expect(page.locator("#steer-redo")).to_be_hidden()
    move_speed(page, "0.8")
    expect(page.locator("#asked-list li").last).to_have_attribute("data-state", "applied")

    page.click("[data-command=resume]")
    expect(page.locator(".job-head [data-badge]")).to_have_attribute("data-status", "running")
    page.click("[data-command=cancel]")
    expect(page.locator(".job-head [data-badge]")).to_have_attribute("data-status", "cancelled")
    states = page.locator("#asked-list li").evaluate_all("all => all.map(item => item.dataset.state)")
    assert states == ["applied"] * 5
    page.reload()
    assert page.locator("#asked-list li").count() == 5
