"""The way of an event from a worker to a socket: latency, CPU per delivered event, nothing lost.

``python -m bench.event_path`` starts a Redis and a web server of its own in a scratch directory. A producer
process writes events as a worker does (one short transaction, then the bell); sockets in this process follow.
Latency is from the fact's own time (``at``) to its arrival here, so it includes the database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import websockets

from bench.machine import machine

LIBRARIES = ("channels", "channels-redis", "daphne", "redis", "autobahn")
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="cosyweb-bench-") as directory, _portal(Path(directory)) as portal:
        result = asyncio.run(_measure(portal, arguments))
    load = {name: getattr(arguments, name) for name in ("jobs", "rate", "sockets", "seconds")}
    result = {"bench": "event_path", **load, **result}
    result["machine"] = machine(LIBRARIES)
    print(json.dumps(result, indent=2))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--rate", type=float, default=4.0, help="events per second and job; a worker writes up to 4")
    parser.add_argument("--sockets", type=int, default=50, help="each follows one job, round robin")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results/event_path.json")
    return parser.parse_args()


class _Portal:
    def __init__(self, environment: dict[str, str], port: int, web: subprocess.Popen[bytes]) -> None:
        self.environment, self.port, self.web = environment, port, web

    def manage(self, *command: str, code: str = "") -> str:
        words = [sys.executable, "manage.py", *command]
        done = subprocess.run(  # noqa: S603 our own commands
            words, cwd=ROOT, env=self.environment, input=code, text=True, capture_output=True, check=True
        )
        return done.stdout


@contextlib.contextmanager
def _portal(directory: Path) -> Iterator[_Portal]:
    """A web server and a Redis, without workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "COSYWEB_DATA_DIR": str(directory),
        "COSYWEB_PORT": str(port),
        "COSYWEB_ADMIN_PASSWORD": "bench password",
    }
    setup = _Portal(environment, port, subprocess.Popen(["true"]))  # noqa: S607
    for name in ("run", "logs", "media", "cache"):
        (directory / name).mkdir()
    setup.manage("migrate", "--verbosity=0")
    setup.manage("shell", code=_SETUP)
    paths = setup.manage(
        "shell", code="from cosyweb import supervision as s; print('##', s.redis_server(), s.redis_config())"
    )
    server, config = next(line.split()[1:] for line in paths.splitlines() if line.startswith("##"))
    redis = subprocess.Popen([server, config], stdout=subprocess.DEVNULL)  # noqa: S603
    web = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
    try:
        _wait_for_port(port)
        yield _Portal(environment, port, web)
    finally:
        for process in (web, redis):
            process.terminate()
            process.wait(20)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the web server did not start")


_SETUP = """
from synthesis.models import User, Voice
user = User.objects.create_superuser("admin", password="bench password")
Voice.objects.create(
    id="bench", name="Bench", origin="ready_made", path="none", sha256="0", duration_s=1, source_sample_rate_hz=24000
)
"""

_JOBS = """
from synthesis.jobs import lifecycle, spec
from synthesis.models import User
user = User.objects.get()
for _ in range({jobs}):
    lifecycle.submit(spec.validate({{"text": "One."}}, user=user), owner=user, address=None)
    claim = lifecycle.claim_next("bench")
    print("##", claim.job_id)
"""

_PRODUCER = """
import time
from synthesis.events.facts import Progressed
from synthesis.jobs import lifecycle
from synthesis.jobs.lifecycle import Claim
from synthesis.vocabulary import Stage
claims = [Claim(job, 1, "bench") for job in {jobs!r}]
began = time.monotonic()
for number in range({count}):
    due = began + number / {total_rate}
    time.sleep(max(0.0, due - time.monotonic()))
    fact = Progressed(stage=Stage.ACOUSTIC, step=2, total=4, progress=0.5, eta_s=1.0)
    lifecycle.note(claims[number % len(claims)], [fact], stage="acoustic", progress=0.5)
time.sleep(2)
"""


async def _measure(portal: _Portal, arguments: argparse.Namespace) -> dict[str, Any]:
    printed = await asyncio.to_thread(portal.manage, "shell", code=_JOBS.format(jobs=arguments.jobs))
    jobs = [line.split()[1] for line in printed.splitlines() if line.startswith("##")]
    key = (await asyncio.to_thread(portal.manage, "createapikey", "admin")).strip()
    per_job = round(arguments.rate * arguments.seconds)
    code = _PRODUCER.format(jobs=jobs, count=per_job * len(jobs), total_rate=arguments.rate * len(jobs))
    ready = asyncio.Semaphore(0)
    followers = [
        asyncio.create_task(_follow(portal.port, key, jobs[number % len(jobs)], per_job, ready))
        for number in range(arguments.sockets)
    ]
    for _ in followers:
        await ready.acquire()
    web = psutil.Process(portal.web.pid)
    before = web.cpu_times()
    producer = asyncio.create_task(asyncio.to_thread(portal.manage, "shell", code=code))
    latencies = [latency for delays in await asyncio.gather(*followers) for latency in delays]
    after = web.cpu_times()
    await producer
    return _figures(latencies, before, after, arguments.sockets * per_job, web.memory_info().rss)


async def _follow(port: int, key: str, job: str, expected: int, ready: asyncio.Semaphore) -> list[float]:
    """Seconds from fact to arrival of each live event."""
    headers = {"Authorization": f"Bearer {key}"}
    latencies: list[float] = []
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws/", additional_headers=headers) as connection:
        await connection.send(json.dumps({"task": "subscribe", "job": job}))
        await connection.recv()  # the stored event: from here on it follows
        ready.release()
        async with asyncio.timeout(120):
            while len(latencies) < expected:
                frame = json.loads(await connection.recv())
                latencies.append(time.time() - frame["at"])
    return latencies


def _figures(latencies: list[float], before: Any, after: Any, expected: int, rss: int) -> dict[str, Any]:
    cuts = statistics.quantiles(latencies, n=100)
    cpu_s = (after.user + after.system) - (before.user + before.system)
    return {
        "deliveries": len(latencies),
        "lost": expected - len(latencies),
        "latency_p50_ms": round(cuts[49] * 1000, 2),
        "latency_p99_ms": round(cuts[98] * 1000, 2),
        "latency_max_ms": round(max(latencies) * 1000, 2),
        "web_cpu_per_delivery_us": round(cpu_s / len(latencies) * 1e6, 1),
        "web_rss_mib": round(rss / 2**20, 1),
    }


if __name__ == "__main__":
    main()
