"""The log of a job while thousands of lines arrive."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.portal import ROOT, Portal

LINES = 5000
MOST_NODES = 2000
JOB = """
import datetime
from django.utils import timezone
from synthesis.models import Job, Segment, User, Voice
now = timezone.now()
voice = Voice.objects.first()
job = Job.objects.create(owner=User.objects.get(username="admin"), voice=voice, text="One.", seed=1, status="running",
    worker="elsewhere", lease_until=now + datetime.timedelta(hours=1), queued_at=now, started_at=now, segments_total=1)
Segment.objects.create(job=job, index=0, text="One.", language="en", start=0, end=4, seed=1, voice=voice)
print("##", job.pk)
"""
BURST = """
import time
from synthesis.events.facts import Logged
from synthesis.jobs import lifecycle
from synthesis.jobs.lifecycle import Claim
from synthesis.vocabulary import Level
claim = Claim("{job}", 1, "elsewhere")
for first in range(0, {lines}, 50):
    lifecycle.note(claim, [Logged(Level.INFO, None, f"line {{n}} of the engine") for n in range(first, first + 50)])
    time.sleep(0.03)  # spread over seconds, however fast the machine is
time.sleep(1)  # the bell rings in a thread of its own
"""
WATCH = """() => {
  window.delays = [];
  const button = document.getElementById("log-follow");
  button.addEventListener("click", (event) => {
    requestAnimationFrame(() => window.delays.push(performance.now() - event.timeStamp));
  });
}"""


@pytest.fixture
def job(portal: Portal) -> Iterator[str]:
    """A job that no worker has, though it says so; gone afterwards, or other tests would take it for a running one."""
    printed = portal.manage("shell", "-c", JOB)
    job = next(line.split()[1] for line in printed.splitlines() if line.startswith("##"))
    yield job
    portal.manage("shell", "-c", f"from synthesis.models import Job; Job.objects.filter(pk={job!r}).delete()")


def test_a_page_stays_responsive_while_a_burst_arrives(open_page: OpenPage, portal: Portal, job: str) -> None:
    page = open_page()
    page.goto(f"/jobs/{job}/")
    page.evaluate(WATCH)
    command = [sys.executable, "manage.py", "shell", "-c", BURST.format(job=job, lines=LINES)]
    burst = subprocess.Popen(command, cwd=ROOT, env=portal.environment, stdout=subprocess.DEVNULL)
    newest = page.locator(".log-line").last
    clicks = 0
    expect(page.locator(".log-line").first).to_contain_text("of the engine")
    while burst.poll() is None:
        page.click("#log-follow")
        clicks += 1
    assert burst.returncode == 0
    expect(newest).to_contain_text(f"line {LINES - 1} of the engine")
    page.wait_for_function("clicks => window.delays.length === clicks", arg=clicks)  # the last one's frame comes later
    delays = page.evaluate("() => window.delays")
    assert clicks > 3
    assert sorted(delays)[len(delays) // 2] < 100
    assert sorted(delays)[round(len(delays) * 0.9) - 1] < 200
    assert page.locator(".log-line").count() == MOST_NODES
    expect(page.locator("#log-count")).to_have_text(f"{MOST_NODES} of {MOST_NODES} lines")
    page.fill("#log-search", f"line {LINES - 7} ")
    expect(page.locator("#log-count")).to_have_text(f"1 of {MOST_NODES} lines")
