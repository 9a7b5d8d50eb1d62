"""The way of an event from a worker to a socket, against a bare ``websockets`` server on the same machine.

``python -m bench.event_path`` measures both in turn under each load: latency, CPU of the serving process for each
delivered event, nothing lost, nothing doubled, nothing out of turn. The portal is a Redis and a web server of its own
in a scratch directory, and a writer that stores every event as a worker does (one transaction each, then the bell).
The bare server makes the same messages and stores nothing. Latency is from the moment at which the fact was due to
its arrival, for both: a server or writer that falls behind does not shift its own clock.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from bench import bare_server, scratch_portal, sockets
from bench.machine import machine
from bench.medians import median
from bench.scratch_portal import ROOT, ScratchPortal
from bench.sockets import Plan, Seen

LIBRARIES = ("websockets", "channels", "channels-redis", "daphne", "redis", "hiredis", "autobahn", "twisted")
STORED = 3
"""Events of a job (queued, started, one of progress) before the measurement."""


@dataclass(frozen=True, slots=True)
class Load:
    name: str
    jobs: int
    sockets: int
    follows: int
    """Jobs that each socket follows."""
    rate: float = 20.0
    """Events a second of each job."""


LOADS = (
    Load("one_of_ten_jobs", jobs=10, sockets=100, follows=1),
    Load("all_of_ten_jobs", jobs=10, sockets=100, follows=10),
    Load("one_job", jobs=1, sockets=1000, follows=1),
)

_JOBS = """
from datetime import timedelta
from django.utils import timezone
from synthesis.models import Job
from synthesis.events.facts import Started
from synthesis.jobs import lifecycle, spec
from synthesis.models import User
user = User.objects.get()
Job.objects.all().delete()  # a person may have so many at once
for _ in range({jobs}):
    lifecycle.submit(spec.validate({{"text": "One."}}, user=user), owner=user, address=None)
    claim = lifecycle.claim_next("bench")
    # No worker renews this lease, and the web server takes jobs back whose lease has ended.
    Job.objects.filter(pk=claim.job_id).update(lease_until=timezone.now() + timedelta(days=1))
    lifecycle.note(claim, [Started(worker="bench", engine="none", attempt=1, segments=1)])
    print("##", claim.job_id)
"""

_WRITER = """
import time
from datetime import UTC, datetime
from synthesis.events.facts import Progressed
from synthesis.jobs import lifecycle
from synthesis.jobs.lifecycle import Claim
from synthesis.vocabulary import Stage
claims = [Claim(job, 1, "bench") for job in {jobs!r}]
fact = Progressed(stage=Stage.ACOUSTIC, step=2, total=4, progress=0.5, eta_s=1.0)
for claim in claims:
    lifecycle.note(claim, [fact])  # connects to database and Redis: every worker does that once
print("## ready", flush=True)
input()
began, cpu_s = time.time(), time.process_time()
for number in range({count}):
    due = began + number / {rate}
    time.sleep(max(0.0, due - time.time()))
    lifecycle.note(claims[number % len(claims)], [fact], [datetime.fromtimestamp(due, UTC)], progress=0.5)
print("##", time.process_time() - cpu_s, flush=True)
input()
"""

processes = multiprocessing.get_context("spawn")


def main() -> None:
    arguments = _arguments()
    loads = [load for load in LOADS if not arguments.load or load.name in arguments.load]
    rounds: dict[str, list[dict[str, Any]]] = {load.name: [] for load in loads}
    with (
        tempfile.TemporaryDirectory(prefix="cosyweb-bench-") as directory,
        scratch_portal.running(Path(directory)) as portal,
    ):
        key = portal.manage("createapikey", "admin")[-1]
        for number in range(arguments.rounds):
            for load in loads:
                arms: dict[str, Callable[[], dict[str, Any]]] = {
                    "bare": partial(_bare, load, arguments.seconds),
                    "portal": partial(_portal, portal, key, load, arguments.seconds),
                }
                # Each is the first by turns: a machine that slows down favours neither.
                order = ("bare", "portal") if number % 2 else ("portal", "bare")
                rounds[load.name].append({arm: arms[arm]() for arm in order})
                print(load.name, json.dumps(rounds[load.name][-1]), flush=True)
    figures = {load.name: {**asdict(load), **_medians(rounds[load.name])} for load in loads}
    head = {"bench": "event_path", "seconds": arguments.seconds, "rounds": arguments.rounds}
    result = {**head, "loads": figures, "machine": machine(LIBRARIES)}
    print(json.dumps(result, indent=2))
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=12, help="the figures are their medians")
    parser.add_argument("--load", nargs="*", choices=[load.name for load in LOADS])
    parser.add_argument("--out", type=Path, nargs="?", const=ROOT / "bench/results/event_path.json")
    return parser.parse_args()


def _bare(load: Load, seconds: float) -> dict[str, Any]:
    jobs = [f"job{number}" for number in range(load.jobs)]
    events = round(load.rate * seconds)
    ours, its = processes.Pipe()
    work = bare_server.Work(jobs, STORED, events, load.rate * load.jobs)
    server = processes.Process(target=bare_server.run, args=(work, its))
    server.start()
    assert server.pid is not None
    process = psutil.Process(server.pid)
    with _readers(Plan(ours.recv(), "", _follows(load, jobs), STORED, events)) as readers:
        before = process.cpu_times()
        ours.send("begin")
        seen = readers.recv()
        figures = _figures(seen, _cpu_s(before, process))
    ours.send("end")
    server.join()
    return figures


def _portal(portal: ScratchPortal, key: str, load: Load, seconds: float) -> dict[str, Any]:
    printed = portal.manage("shell", code=_JOBS.format(jobs=load.jobs))
    jobs = [line.split()[1] for line in printed if line.startswith("##")]
    events = round(load.rate * seconds)
    writer = portal.start(_WRITER.format(jobs=jobs, count=events * load.jobs, rate=load.rate * load.jobs))
    assert writer.stdin
    assert writer.stdout
    writer.stdout.readline()  # it is ready
    web, redis = psutil.Process(portal.web_pid), psutil.Process(portal.redis_pid)
    with _readers(Plan(portal.port, key, _follows(load, jobs), STORED, events)) as readers:
        before, before_redis = web.cpu_times(), redis.cpu_times()
        writer.stdin.write("begin\n")
        writer.stdin.flush()
        seen = readers.recv()
        figures = _figures(seen, _cpu_s(before, web))
        redis_s = _cpu_s(before_redis, redis)
        writer_s = float(writer.stdout.readline().split()[1])
    writer.communicate("end\n", 20)
    return {
        **figures,
        "web_cpu_per_event_us": _us(figures["cpu_per_delivery_us"] * len(seen.latencies_s) / 1e6, events * load.jobs),
        "redis_cpu_per_event_us": _us(redis_s, events * load.jobs),
        "writer_cpu_per_event_us": _us(writer_s, events * load.jobs),
        "web_rss_mib": round(web.memory_info().rss / 2**20, 1),
    }


def _follows(load: Load, jobs: list[str]) -> list[list[str]]:
    """For each socket its jobs, round robin."""
    return [[jobs[(number + offset) % len(jobs)] for offset in range(load.follows)] for number in range(load.sockets)]


@contextmanager
def _readers(plan: Plan) -> Iterator[Connection]:
    """A process whose sockets all follow; then it sends what it saw."""
    ours, its = processes.Pipe()
    reader = processes.Process(target=sockets.read_all, args=(plan, its))
    reader.start()
    its.close()
    assert ours.recv() == "ready"
    yield ours
    reader.join()


def _cpu_s(before: Any, process: psutil.Process) -> float:
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system)


def _us(seconds: float, count: int) -> float:
    return round(seconds / count * 1e6, 1)


def _figures(seen: Seen, cpu_s: float) -> dict[str, Any]:
    cuts = statistics.quantiles(seen.latencies_s, n=100)
    return {
        "deliveries": len(seen.latencies_s),
        "lost": seen.lost,
        "disordered": seen.disordered,
        "latency_p50_ms": round(cuts[49] * 1000, 2),
        "latency_p99_ms": round(cuts[98] * 1000, 2),
        "latency_max_ms": round(max(seen.latencies_s) * 1000, 2),
        "cpu_per_delivery_us": _us(cpu_s, len(seen.latencies_s)),
    }


def _medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of both arms, and of their ratios (of runs next to each other, so that a busy machine disturbs both)."""
    arms = {
        arm: {name: statistics.median(one[arm][name] for one in rounds) for name in rounds[0][arm]}
        for arm in ("bare", "portal")
    }
    ratios = {
        name: median([one["portal"][name] / one["bare"][name] for one in rounds])
        for name in ("latency_p50_ms", "latency_p99_ms", "cpu_per_delivery_us")
    }
    return {**arms, "portal_to_bare": ratios}


if __name__ == "__main__":
    main()
