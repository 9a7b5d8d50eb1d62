"""An engine hangs in a call that never returns."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.scene import Scene

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
def test_a_hung_worker_ends_itself_and_its_job_goes_on(hasty: Scene) -> None:
    sound, job_id = hasty.undisturbed(), hasty.submit()
    hasty.wait_until(lambda: len(hasty.finished(job_id)) >= 2, 60.0)
    hung, kept = hasty.worker_of(job_id), [tuple(row) for row in hasty.finished(job_id)]
    # The main thread, which the engine runs in, has the process's id.
    command = [sys.executable, "-c", HOLD_THREAD, str(hung.pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stderr
        if holder.stdout.readline() != "held\n":
            pytest.skip(f"this machine does not let us stop a thread: {holder.stderr.read()}")
        try:
            hasty.wait_until(lambda: holder.poll() is not None, 30.0)
        finally:
            holder.kill()
    hasty.wait_until_ended([job_id])
    assert [tuple(row) for row in hasty.finished(job_id)][: len(kept)] == kept
    assert len(hasty.events(job_id, "started")) == 2
    log = "".join(path.read_text() for path in hasty.portal.data_dir.glob("logs/worker-*.log"))
    assert "Timeout (0:00:06)!" in log, "the log does not say where it hung"
    hasty.check_ledger([job_id], status="completed")
    assert hasty.sound(job_id) == sound
