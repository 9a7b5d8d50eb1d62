"""Work that a GPU repeats from a recording, and what becomes of it where none can be made."""

from __future__ import annotations

import pytest
import torch

from synthesis.engines.cosyvoice3.graphs import repeatable

ON_GPU = torch.cuda.is_available()


@pytest.mark.skipif(ON_GPU, reason="this machine's GPU records")
def test_what_cannot_be_recorded_is_done_as_it_is_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    work = repeatable(lambda: done.append(len(done)), torch.device("cuda"))
    work()
    work()
    assert done == [0, 1]
    assert "The GPU records no graph" in caplog.text


@pytest.mark.skipif(not ON_GPU, reason="this machine has no GPU")
def test_a_recording_does_the_work_at_every_call() -> None:
    count = torch.zeros((), device="cuda")

    def step() -> None:
        count.add_(1)

    work = repeatable(step, count.device)
    before = count.item()
    work()
    work()
    assert count.item() == before + 2
