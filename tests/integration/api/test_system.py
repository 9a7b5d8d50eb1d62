"""The gauges of several machines, and orders to workers."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from synthesis.models import AuditEntry, User, WorkerState
from synthesis.monitor import gauges, machine
from synthesis.monitor.past import Look, past
from tests.integration.api.conftest import Caller, program_of

FAR = {
    "name": "far",
    "at": 5.0,
    "cpu": 0.5,
    "cores": 8,
    "memory": {"used": 95, "total": 100},
    "disk": {"used": 1, "total": 10**12},
    "gpus": [{"name": "G", "memory_used": 1, "memory_total": 4, "load": 0.25}],
}


def worker(name: str = "w1", **more: Any) -> WorkerState:
    now = timezone.now()
    fields = {"host": "far", "pid": 1, "engine": "embedded", "state": "idle", "started_at": now, "heartbeat_at": now}
    return WorkerState.objects.create(name=name, **{**fields, **more})


@pytest.fixture
def root(administrator: User) -> Caller:
    return program_of(administrator)


@pytest.fixture
def empty_past() -> Iterator[None]:
    past.clear()
    yield
    past.clear()


def test_machines_that_only_share_the_database_are_shown_with_their_gpus(program: Caller) -> None:
    worker("w1", machine={**FAR, "at": 4.0, "cpu": 0.1})
    worker("w2", machine=FAR)
    worker("dead", host="gone", machine=FAR, heartbeat_at=timezone.now() - datetime.timedelta(minutes=1))
    told = program.get("/api/v1/system").json()
    assert [host["name"] for host in told["hosts"]] == [machine.NAME, "far"]
    assert told["hosts"][1]["cpu"] == 0.5  # of the later report
    assert told["gpus"] == [{"name": "G", "memory_used": 1, "memory_total": 4, "load": 0.25, "host": "far"}]
    assert told["cpu"] == told["hosts"][0]["cpu"]
    assert told["warnings"] == ["memory_low"]
    assert told["details"] == [{"code": "memory_low", "host": "far", "gpu": None, "minutes": None}]


def test_gpus_that_only_a_worker_sees_belong_to_its_machine(program: Caller) -> None:
    worker(host=machine.NAME, machine={**FAR, "name": machine.NAME})
    told = program.get("/api/v1/system").json()
    assert [host["name"] for host in told["hosts"]] == [machine.NAME]
    assert [gpu["host"] for gpu in told["gpus"]] == [machine.NAME]


def test_a_reading_takes_three_queries_and_under_ten_milliseconds(
    db: None, empty_past: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        worker(f"w{number}", machine=FAR)
    for second in range(60):
        past.keep(Look(float(second), [machine.read()], 0, []))
    gauges.read()
    with django_assert_num_queries(3):
        gauges.read()
    took = []
    for _ in range(5):
        began = time.perf_counter()
        gauges.read()
        took.append(time.perf_counter() - began)
    assert min(took) < 0.01


def test_a_trend_becomes_a_warning(db: None, empty_past: None) -> None:
    worker()
    here = machine.read()
    total = here["memory"]["total"]
    for second in range(60):
        used = int(total * (0.5 + 0.004 * second))
        past.keep(Look(second, [{**here, "at": float(second), "memory": {"used": used, "total": total}}], 0, []))
    (warning,) = gauges.read()["details"]
    assert (warning["code"], warning["minutes"]) == ("memory_rising", 1)


def test_the_studio_shows_warnings_before_somebody_submits(owner: User, empty_past: None) -> None:
    rising: Any = {"code": "memory_rising", "host": machine.NAME, "gpu": None, "minutes": 7}
    full: Any = {"code": "gpu_memory_low", "host": "far", "gpu": "1 · G", "minutes": None}
    past.keep(Look(time.time(), [machine.read()], 0, [rising, full]))
    client = Client(headers={"accept-language": "en"})
    client.force_login(owner)
    page = client.get("/").content.decode()
    assert "Memory is filling up: at this rate it is full in about 7 min." in page
    assert "far: The memory of GPU 1 · G is almost used up." in page


def test_an_administrator_orders_one_worker_or_all(root: Caller, administrator: User) -> None:
    worker("w1")
    worker("w2")
    worker("dead", heartbeat_at=timezone.now() - datetime.timedelta(minutes=1))
    answer = root.post("/api/v1/system/workers", {"command": "unload", "name": "w2"})
    assert (answer.status_code, answer.json()) == (202, {"ordered": ["w2"]})
    assert root.post("/api/v1/system/workers", {"command": "restart"}).json() == {"ordered": ["w1", "w2"]}
    orders = dict(WorkerState.objects.values_list("name", "order"))
    assert orders == {"w1": "restart", "w2": "restart", "dead": ""}
    deeds = AuditEntry.objects.filter(action__startswith="worker.").order_by("id")
    assert list(deeds.values_list("action", "object_id", "actor_name")) == [
        ("worker.unload", "w2", "root"),
        ("worker.restart", "w1", "root"),
        ("worker.restart", "w2", "root"),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"command": "unload", "name": "nobody"}, 404),
        ({"command": "explode"}, 422),
        ({}, 422),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(root: Caller, body: dict[str, str], status: int) -> None:
    worker()
    assert root.post("/api/v1/system/workers", body).status_code == status
    assert WorkerState.objects.get().order == ""


def test_a_member_orders_nothing_and_sees_no_buttons(
    owner: User, administrator: User, program: Caller, browser_page: Callable[[User], str]
) -> None:
    worker()
    answer = program.post("/api/v1/system/workers", {"command": "restart"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert WorkerState.objects.get().order == ""
    assert not AuditEntry.objects.filter(action__startswith="worker.").exists()
    assert "Restart workers" not in browser_page(owner)
    assert "Restart workers" in browser_page(administrator)


@pytest.fixture
def browser_page() -> Callable[[User], str]:
    """The system page as somebody sees it, in English."""

    def page(user: User) -> str:
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client.get("/system/").content.decode()

    return page
