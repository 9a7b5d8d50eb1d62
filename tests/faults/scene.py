"""A portal under attack: what the fault tests ask of it, and the books they check afterwards."""

from __future__ import annotations

import datetime
import hashlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from synthesis.audio import wav
from synthesis.vocabulary import AudioFormat
from tests.portal import Portal

SENTENCES = (
    "The first sentence of this text is about the weather in the north. "
    "The second one tells of a long walk along the river bank. "
    "And the third one, which is the last, brings everybody home again. "
)
LONG = SENTENCES * 2
"""Six segments: about 2.5 s of work on a quiet machine."""
SHORT = "Hello there, and good night."
TERMINAL = {"completed", "failed", "cancelled"}
JOB_WITHIN_S = 90.0
TAKEN_UP_WITHIN_S = 15.0


@dataclass(frozen=True)
class Sound:
    """What must be the same in every run of a request: the main file's samples, and each segment's hash."""

    samples: str
    segments: tuple[str, ...]


class Scene:
    """A running portal, its database and files as an onlooker sees them, and its processes."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.key = portal.manage("createapikey", "admin").strip()
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": "en"}
        self.client = httpx.Client(base_url=portal.url, headers=headers, timeout=30)
        self._undisturbed: dict[str, Sound] = {}

    def close(self) -> None:
        self.client.close()

    # Asking

    def submit(self, text: str = LONG, **more: Any) -> str:
        answer = self.client.post("/api/v1/jobs", json={"text": text, "seed": 7, **more})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def undisturbed(self, text: str = LONG) -> Sound:
        """What the request sounds like when nothing happens."""
        if text not in self._undisturbed:
            job = self.submit(text)
            self.wait_until_ended([job])
            self.check_ledger([job], status="completed")
            self._undisturbed[text] = self.sound(job)
        return self._undisturbed[text]

    # Looking

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        path = self.portal.data_dir / "cosyweb.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query, values).fetchall()

    def job(self, job_id: str) -> sqlite3.Row:
        return self.rows("SELECT * FROM synthesis_job WHERE id = ?", job_id)[0]

    def events(self, job_id: str, *kinds: str) -> list[sqlite3.Row]:
        rows = self.rows("SELECT * FROM synthesis_event WHERE job_id = ? ORDER BY seq", job_id)
        return [row for row in rows if not kinds or row["kind"] in kinds]

    def log(self, job_id: str) -> str:
        """The whole log, with what its engines and dead workers said."""
        return self.client.get(f"/api/v1/jobs/{job_id}/log").text

    def segments(self, job_id: str) -> list[sqlite3.Row]:
        return self.rows('SELECT * FROM synthesis_segment WHERE job_id = ? ORDER BY "index"', job_id)

    def finished(self, job_id: str) -> list[sqlite3.Row]:
        return [row for row in self.segments(job_id) if row["audio_path"]]

    def has_ended(self, *job_ids: str) -> bool:
        return all(self.job(job_id)["status"] in TERMINAL for job_id in job_ids)

    def file(self, relative: str) -> Path:
        return self.portal.data_dir / "media" / relative

    def files(self, kind: str, job_id: str) -> list[str]:
        """What lies in a job's directory, relative to the media directory."""
        directory = self.file(f"{kind}/{job_id[:2]}/{job_id}")
        names = os.listdir(directory) if directory.exists() else []
        return sorted(f"{kind}/{job_id[:2]}/{job_id}/{name}" for name in names)

    def sound(self, job_id: str) -> Sound:
        name = self.job(job_id)["main_output"]
        path = self.file(self.rows("SELECT path FROM synthesis_output WHERE name = ?", name)[0]["path"])
        layout = wav.inspect_wav(path)
        samples = path.read_bytes()[layout.data_offset :][: layout.data_bytes]
        return Sound(hashlib.sha256(samples).hexdigest(), tuple(segment["sha256"] for segment in self.segments(job_id)))

    # Waiting

    def wait_until(self, condition: object, within_s: float) -> None:
        self.portal.wait_until(condition, within_s)

    def wait_until_ended(self, job_ids: Iterable[str], within_s: float = JOB_WITHIN_S) -> None:
        jobs = list(job_ids)
        self.wait_until(lambda: self.has_ended(*jobs), within_s)

    def wait_until_started(self, job_id: str, attempt: int = 1) -> None:
        """The job is in a worker's hands for the ``attempt``-th time, or later, or has ended."""

        def started() -> bool:
            return len(self.events(job_id, "started")) >= attempt or self.has_ended(job_id)

        self.wait_until(started, JOB_WITHIN_S)

    def idle_workers(self) -> list[int]:
        """Process ids of the workers that live, are loaded and have nothing to do."""
        rows = self.rows("SELECT pid FROM synthesis_workerstate WHERE state = 'idle'")
        return [row["pid"] for row in rows if psutil.pid_exists(row["pid"])]

    def wait_for_workers(self, number: int = 2) -> None:
        self.wait_until(lambda: len(self.idle_workers()) == number, JOB_WITHIN_S)

    def pass_time(self, seconds: float, *, or_ended: str = "") -> None:
        """Let a fault last, or a job run, for so long."""
        until = time.monotonic() + seconds
        self.wait_until(
            lambda: time.monotonic() >= until or (or_ended and self.has_ended(or_ended)), seconds + JOB_WITHIN_S
        )

    # Attacking

    def worker_of(self, job_id: str) -> psutil.Process:
        """The process that has the job; its id is in the worker's name."""
        return psutil.Process(int(self.job(job_id)["worker"].split("-")[-2]))

    def web(self) -> psutil.Process:
        return self.portal.children("serve")[0]

    def redis(self) -> psutil.Process:
        return self.portal.children("redis-server")[0]

    def workers(self) -> list[psutil.Process]:
        return self.portal.children("worker")

    def freeze(self, process: psutil.Process) -> None:
        """SIGSTOP, at a moment at which it does not hold the database, which nobody else could write then."""
        while True:
            os.kill(process.pid, signal.SIGSTOP)
            self.wait_until(lambda: _stands_still(process), 10.0)
            with suppress(sqlite3.OperationalError), self.holding_the_database(timeout_s=0.2):
                return
            thaw(process)

    @contextmanager
    def holding_the_database(self, timeout_s: float = 20.0) -> Iterator[None]:
        """Nobody else can write meanwhile; raises OperationalError if somebody else does not let go of it."""
        path = self.portal.data_dir / "cosyweb.sqlite3"
        with closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                database.execute("ROLLBACK")

    # The books

    def check_ledger(self, job_ids: Iterable[str], *, status: str = "") -> None:
        """What must hold after every fault, of every job that was submitted."""
        for job_id in job_ids:
            job = self.job(job_id)
            assert job["status"] in TERMINAL, f"{job_id} is {job['status']}"
            assert not status or job["status"] == status, f"{job_id}: {job['error_message']}"
            self._check_history(job)
            self._check_outputs(job)
            self._check_files(job)
        scratch = self.portal.data_dir / "scratch"
        self.wait_until(lambda: not scratch.exists() or not self._left_over(scratch), 10.0)

    def _check_history(self, job: sqlite3.Row) -> None:
        events = self.events(job["id"])
        assert [event["seq"] for event in events] == list(range(1, job["last_seq"] + 1))
        assert [event["kind"] for event in events if event["kind"] in TERMINAL] == [job["status"]]
        assert events[-1]["kind"] == job["status"]
        kinds = [event["kind"] for event in events]
        assert kinds.count("started") <= 1 + kinds.count("requeued")
        assert kinds.count("segment") == len(self.finished(job["id"])), "a segment was announced twice or not at all"

    def _check_outputs(self, job: sqlite3.Row) -> None:
        outputs = self.rows("SELECT * FROM synthesis_output WHERE job_id = ?", job["id"])
        complete = job["status"] == "completed"
        assert sorted(output["format"] for output in outputs) == (sorted(AudioFormat) if complete else [])
        for output in outputs:
            content = self.file(output["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == output["sha256"]
            assert len(content) == output["size_bytes"]
            if output["format"] == "wav":
                length_s = wav.inspect_wav(self.file(output["path"])).duration_s
                assert abs(length_s - output["duration_s"]) < 0.002
        for segment in self.segments(job["id"]):
            assert segment["audio_path"] or not complete
            if segment["audio_path"]:
                content = self.file(segment["audio_path"]).read_bytes()
                assert hashlib.sha256(content).hexdigest() == segment["sha256"]

    def _check_files(self, job: sqlite3.Row) -> None:
        """No file without a row; what a killed process left is cleared away within two sweeps."""
        rows = self.rows("SELECT path FROM synthesis_output WHERE job_id = ?", job["id"])
        named = {"outputs": sorted(row["path"] for row in rows)}
        named["segments"] = sorted(row["audio_path"] for row in self.finished(job["id"]))
        for kind, names in named.items():
            self.wait_until(lambda kind=kind, names=names: self.files(kind, job["id"]) == names, 10.0)

    @staticmethod
    def _left_over(scratch: Path) -> list[Path]:
        return [path for path in scratch.iterdir() if time.time() - path.stat().st_mtime > 120]


def moment_of(event: sqlite3.Row) -> float:
    """When it happened, in Unix seconds."""
    return datetime.datetime.fromisoformat(event["at"]).replace(tzinfo=datetime.UTC).timestamp()


def kill(process: psutil.Process) -> float:
    """SIGKILL, to this process alone; when it was."""
    os.kill(process.pid, signal.SIGKILL)
    return time.time()


def _stands_still(process: psutil.Process) -> bool:
    """Each of its threads has stopped: the signal takes a moment to reach one that runs on another core."""
    states = [
        path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{process.pid}/task").glob("*/stat")
    ]
    return set(states) <= {"T", "t"}


def thaw(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGCONT)


def dice() -> random.Random:
    """Moments differ from run to run; a failing test shows the seed, and ``FAULT_SEED`` brings them back."""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"FAULT_SEED={seed}")  # noqa: T201 pytest shows it with a failure
    return random.Random(seed)  # noqa: S311 moments, not secrets
