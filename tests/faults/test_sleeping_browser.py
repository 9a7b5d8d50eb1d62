"""A laptop's lid is closed for a while.

Ten minutes of sleep are no different from one: after three pings without an answer the server gives the socket up.
The sleep begins before the folder's first test (the fixture ``sleeper``), so that most of it passes during others.
"""

from __future__ import annotations

import time

import pytest

from tests.faults.scene import Scene
from tests.faults.sleeper import Sleeper

GIVEN_UP_WITHIN_S = 65.0
MIB = 1024 * 1024


@pytest.mark.timeout(180)
def test_a_sleeping_browser_is_given_up_and_resumes_where_it_was(hasty: Scene, sleeper: Sleeper) -> None:
    hasty.wait_until_ended([sleeper.job_id])
    left_s = sleeper.asleep_at + GIVEN_UP_WITHIN_S - time.monotonic()
    hasty.wait_until(lambda: not sleeper.connected(), max(left_s, 1.0))
    assert hasty.web().memory_info().rss - sleeper.web_bytes < 50 * MIB
    sleeper.wake_up()
    seen = sleeper.transcript(within_s=60.0)
    assert seen["seqs"] == [event["seq"] for event in hasty.events(sleeper.job_id)]
    assert seen["connections"] >= 2, "it was never given up"
    hasty.check_ledger([sleeper.job_id], status="completed")
