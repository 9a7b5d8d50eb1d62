"""Every page and list with many jobs: queries and server time, small database against large.

``python -m bench.scale`` makes a scratch database, submits and finishes one job the ordinary way as far as rows go,
and copies its rows with SQL: 100,000 jobs with 5,000,000 events take about two minutes. Each address is asked
through Django's whole stack (middleware, view, template) in this process; the median of several looks counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync

from bench.machine import machine

LIBRARIES = ("Django", "django-ninja")
ROOT = Path(__file__).resolve().parent.parent
FEW, EVENTS_A_JOB = 200, 50
LOOKS = 7
AIM_MS = 100.0


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="cosyweb-scale-") as directory:
        os.environ.update(COSYWEB_DATA_DIR=directory, DJANGO_SETTINGS_MODULE="cosyweb.settings")
        os.environ["COSYWEB_ALLOWED_HOSTS"] = "testserver"
        os.environ.pop("DATABASE_URL", None)
        result = _measure(arguments.jobs)
    result["machine"] = machine(LIBRARIES)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help=f"each with {EVENTS_A_JOB} events")
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results/scale.json")
    return parser.parse_args()


def _measure(jobs: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    from cosyweb import translations

    translations.compile_stale([ROOT / "locale"])
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    template = _template_job()
    _copy(template, 1, FEW)
    few = _ask_all()
    began = time.perf_counter()
    _copy(template, FEW + 1, jobs)
    filling_s = time.perf_counter() - began
    many = _ask_all()
    rows = {
        name: {
            "queries_few": few[name][0],
            "queries_many": many[name][0],
            "ms_few": few[name][1],
            "ms_many": many[name][1],
        }
        for name in many
    }
    return {
        "bench": "scale",
        **_counts(),
        "filling_s": round(filling_s, 1),
        "slowest_ms": max(row["ms_many"] for row in rows.values()),
        "over_aim": [name for name, row in rows.items() if row["ms_many"] > AIM_MS],
        "more_queries": [name for name, row in rows.items() if row["queries_many"] > row["queries_few"]],
        "addresses": rows,
    }


def _counts() -> dict[str, int]:
    from synthesis.models import Event, Job

    return {"jobs": Job.objects.count(), "events": Event.objects.count()}


def _people() -> Any:
    """Twenty people, thirty voices and a batch; the administrator."""
    from synthesis.models import Batch, User, Voice

    admin = User.objects.create_superuser("admin", password="bench password")  # noqa: S106
    User.objects.bulk_create(User(username=f"member{number}") for number in range(19))
    Voice.objects.bulk_create(
        Voice(id=f"v{number:09d}", name=f"Voice {number}", origin="ready_made", path="none", sha256=f"{number}",
              duration_s=1, source_sample_rate_hz=24000, peaks=[1] * 120)
        for number in range(30)
    )  # fmt: skip
    Batch.objects.create(pk="thebatch", owner=User.objects.get(username="member0"), title="A batch")
    return admin


def _template_job() -> str:
    """One finished job with all kinds of rows, of a portal with twenty people; its id."""
    from django.utils import timezone

    from synthesis.events import facts
    from synthesis.jobs import lifecycle, spec
    from synthesis.models import Job, Output, Segment
    from synthesis.vocabulary import AudioFormat, Level, Stage

    admin = _people()
    text = "The first sentence is about the weather. The second one tells of a walk by the river. 第三句说中文。"
    job = lifecycle.submit(spec.validate({"text": text, "seed": 1}, user=admin), owner=admin, address=None)
    claim = lifecycle.claim_next("bench")
    if claim is None:
        raise RuntimeError("the job was not claimed")
    lines = [
        facts.Logged(severity=Level.INFO, stage=Stage.ACOUSTIC, message=f"line {n} of the engine") for n in range(20)
    ]
    steps = [facts.Progressed(stage=Stage.ACOUSTIC, step=2, total=6, progress=0.3, eta_s=1.0)] * (EVENTS_A_JOB - 23)
    lifecycle.note(claim, [*lines, *steps, *[_segment(index) for index in range(2)]])
    Segment.objects.filter(job=job).update(
        audio_path="segments/none.wav", sha256="0" * 64, duration_s=3.0, compute_s=0.3, peaks=[50] * 120,
        finished_at=timezone.now(),
    )  # fmt: skip
    name = f"output_20260101_000000_{job.pk}"
    Output.objects.bulk_create(
        Output(job=job, format=kind, name=f"{name}.{kind}", path="none", sha256="0" * 64, size_bytes=1, duration_s=9.0)
        for kind in AudioFormat
    )
    from synthesis.jobs import recipe

    made = recipe.build(Job.objects.select_related("voice").get(pk=job.pk), list(job.segments.select_related("voice")))
    done = facts.Completed(output=f"{name}.wav", seed=1, duration_s=9.0, compute_s=0.9, sha256="0" * 64)
    lifecycle.complete(
        claim,
        done,
        recipe=made,
        fingerprint={"engine": "bench"},
        main_output=f"{name}.wav",
        duration_s=9.0,
        compute_s=0.9,
    )
    Job.objects.filter(pk=job.pk).update(batch="thebatch", segments_done=3)
    return job.pk


def _segment(index: int) -> Any:
    from synthesis.events import facts

    return facts.SegmentFinished(
        index=index, total=3, text="A sentence.", duration_s=3.0, compute_s=0.3, peaks=[50] * 120, sha256="0" * 64
    )


def _copy(template: str, first: int, last: int) -> None:
    """Jobs number ``first`` to ``last`` with all their rows: mostly completed, some failed, a few that wait."""
    from django.db import connection, transaction

    from synthesis.models import Event, Job, Output, Segment

    pk = "printf('z%%011d', n)"
    status = (
        "CASE WHEN n %% 1000 = 8 THEN 'queued' WHEN n %% 100 < 90 THEN 'completed' WHEN n %% 100 < 95 THEN 'failed' "
        "WHEN n %% 100 < 99 THEN 'cancelled' ELSE 'paused' END"
    )
    changes: list[tuple[Any, dict[str, str]]] = [
        (Job, {
            "id": pk,
            "seed": "n",
            "owner_id": "CASE WHEN n %% 2 = 0 THEN 2 ELSE 1 + n %% 20 END",
            "voice_id": "printf('v%%09d', n %% 30)",
            "batch_id": "CASE WHEN n <= 40 THEN 'thebatch' END",
            "status": status,
            "main_output": f"printf('output_20260101_000000_%%s.wav', {pk})",
            "created_at": "datetime('2026-01-01', printf('+%%d seconds', n * 60))",
            "queued_at": "datetime('2026-01-01', printf('+%%d seconds', n * 60))",
        }),
        (Segment, {"job_id": pk}),
        (Event, {"job_id": pk}),
        (Output, {"job_id": pk, "name": f"printf('output_20260101_000000_%%s.%%s', {pk}, format)"}),
    ]  # fmt: skip
    numbers = (
        f"WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL "  # noqa: S608 two numbers of ours
        f"SELECT n + 1 FROM numbers WHERE n < {last}) "
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for model, changed in changes:
            columns = [field.column for field in model._meta.concrete_fields if field.column != "id" or "id" in changed]  # noqa: SLF001
            values = ", ".join(changed.get(column, f't."{column}"') for column in columns)
            names = ", ".join(f'"{column}"' for column in columns)
            key = "id" if model is Job else "job_id"
            cursor.execute(
                f'INSERT INTO "{model._meta.db_table}" ({names}) {numbers}'  # noqa: SLF001, S608 our own names
                f'SELECT {values} FROM numbers, "{model._meta.db_table}" t WHERE t."{key}" = %s',  # noqa: SLF001
                [template],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _ask_all() -> dict[str, tuple[int, float]]:
    """Queries and median milliseconds of every address, by who asks."""
    from django.test import Client

    from synthesis.accounts import keys
    from synthesis.models import Job, User

    asked: dict[str, tuple[int, float]] = {}
    newest = Job.objects.filter(status="completed", owner_id=2).order_by("-created_at").first()
    if newest is None:
        raise RuntimeError("there are no jobs")
    for name in ("admin", "member0"):
        user = User.objects.get(username=name)
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(user)
        _key, token = keys.create(user, "bench", by=user, address=None)
        program = Client(headers={"Authorization": f"Bearer {token}"})
        pages = [*_pages(newest.pk), *(_admin_pages(newest.pk) if name == "admin" else [])]
        for address in pages:
            asked[_label(name, address, newest.pk)] = _ask(partial(client.get, address))
        for address in _lists(program, newest.pk):
            asked[_label(name, address, newest.pk)] = _ask(partial(program.get, address))
    return asked


def _label(who: str, address: str, job: str) -> str:
    """Without what differs between the two databases."""
    return f"{who} {address.replace(job, '…').partition('cursor=')[0]}"


def _pages(job: str) -> Iterable[str]:
    return (
        "/", "/jobs/", "/jobs/?page=100000", "/jobs/?status=active", "/jobs/?status=failed", "/jobs/?q=river",
        "/jobs/?q=nowhere", "/jobs/?voice=v000000007", "/jobs/?batch=thebatch", f"/jobs/{job}/", f"/jobs/{job}/log.txt",
        "/batches/thebatch/", "/voices/", "/system/", "/account/",
    )  # fmt: skip


def _admin_pages(job: str) -> Iterable[str]:
    from django.contrib import admin
    from django.urls import reverse

    tables = [model._meta for model in admin.site._registry]  # noqa: SLF001 Django has no other way to ask
    metas = [meta for meta in tables if meta.app_label != "django_rq"]  # its page shows Redis, not tables
    lists = [reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in metas]
    return ["/admin/", *lists, f"/admin/synthesis/job/{job}/change/", "/admin/synthesis/job/?q=river"]


def _lists(program: Any, job: str) -> Iterable[str]:
    second = program.get("/api/v1/jobs?limit=20").json()["next"]
    return [
        "/api/v1/jobs", "/api/v1/jobs?limit=100", f"/api/v1/jobs?limit=20&cursor={second}",
        "/api/v1/jobs?status=failed", "/api/v1/jobs?q=river", "/api/v1/jobs?q=nowhere", "/api/v1/jobs?seed=77",
        f"/api/v1/jobs/{job}", f"/api/v1/jobs/{job}/events", f"/api/v1/jobs/{job}/outputs", f"/api/v1/jobs/{job}/log",
        "/api/v1/batches/thebatch", "/api/v1/voices", "/api/v1/seeds", "/api/v1/keys", "/api/v1/system",
    ]  # fmt: skip


def _ask(get: Callable[[], Any]) -> tuple[int, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = get()
        _body(answer)
    queries = len(captured)
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.request['PATH_INFO']}: {answer.status_code}")
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        _body(get())
        took.append(time.perf_counter() - began)
    return queries, round(statistics.median(took) * 1000, 1)


def _body(answer: Any) -> None:
    """A streamed answer is made while it is read."""
    if answer.streaming and answer.is_async:
        async_to_sync(_drain)(answer.streaming_content)
    elif answer.streaming:
        b"".join(answer.streaming_content)


async def _drain(parts: AsyncIterable[bytes]) -> None:
    async for _ in parts:
        pass


if __name__ == "__main__":
    main()
