"""An engine hangs in a call that never returns."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from tests.faults.scene import Scene

ENDS_WITHIN_S = 12.0
HOLD_THREAD = """
import ctypes, os, sys
PTRACE_ATTACH, WALL = 16, 0x40000000
ptrace, thread = ctypes.CDLL(None, use_errno=True).ptrace, int(sys.argv[1])
ptrace.argtypes = [ctypes.c_long] * 4
if ptrace(PTRACE_ATTACH, thread, 0, 0) != 0:
    sys.exit(f"errno {ctypes.get_errno()}")
os.waitpid(thread, WALL)
print("held", flush=True)
os.waitpid(thread, WALL)
"""
"""Stops one thread as a debugger does; the others run on. That is how a call that never returns looks from outside."""


@pytest.mark.skipif(sys.platform != "linux", reason="one thread of a process is stopped by Linux's ptrace")
@pytest.mark.timeout(300)
def test_a_hung_worker_ends_itself_and_its_job_goes_on(hasty: Scene) -> None:
    sound = hasty.undisturbed()
    for _ in range(3):  # once is enough, unless it is caught while it winds up the watchdog, where no engine hangs
        job_id = hasty.submit()
        hasty.wait_until(lambda job_id=job_id: len(hasty.finished(job_id)) >= 2, 60.0)
        kept = [tuple(row) for row in hasty.finished(job_id)]
        ended = hold_until_it_ends(hasty, hasty.worker_of(job_id))
        hasty.wait_until_ended([job_id])
        assert [tuple(row) for row in hasty.finished(job_id)][: len(kept)] == kept
        assert len(hasty.events(job_id, "started")) == 2
        hasty.check_ledger([job_id], status="completed")
        assert hasty.sound(job_id) == sound
        if ended:
            break
    else:
        pytest.fail("the watchdog does not bite")
    assert "Timeout (0:00:06)!" in hasty.log(job_id), "the job's log does not say where it hung"


def hold_until_it_ends(scene: Scene, process: psutil.Process) -> bool:
    """Stop the thread that its engine runs in, which has the process's id; true if the process then ends itself."""
    command = [sys.executable, "-c", HOLD_THREAD, str(process.pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stderr
        if holder.stdout.readline() != "held\n":
            pytest.skip(f"this machine does not let us stop a thread: {holder.stderr.read()}")
        held_at = time.monotonic()
        try:
            scene.wait_until(lambda: holder.poll() is not None or time.monotonic() > held_at + ENDS_WITHIN_S, 60.0)
            return holder.poll() is not None
        finally:
            holder.kill()
