"""The socket of the protocol, against a real server and a real worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets

from tests.portal import Portal

WITHIN_S = 40.0
SHORT = "This is a short test."


@pytest.fixture(scope="module")
def key(portal: Portal) -> str:
    return portal.manage("createapikey", "admin").strip()


class Socket:
    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection

    async def send(self, **message: Any) -> None:
        await self._connection.send(json.dumps(message))

    async def receive(self) -> Any:
        async with asyncio.timeout(WITHIN_S):
            return json.loads(await self._connection.recv())

    async def until_ended(self) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["status"] not in {"completed", "failed", "cancelled", "error"}:
            frames.append(await self.receive())
        return frames


@pytest.fixture
async def socket(portal: Portal, key: str) -> AsyncIterator[Socket]:
    async with connect(portal, key) as connection:
        yield Socket(connection)


def connect(portal: Portal, key: str, language: str = "en") -> websockets.connect:
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
    return websockets.connect(portal.socket_url, additional_headers=headers)


async def test_a_job_from_submission_to_its_file(socket: Socket) -> None:
    await socket.send(task="generate_audio", text=SHORT, seed=42)
    frames = await socket.until_ended()
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert frames[0]["status"] == "queued"
    assert frames[0]["seed"] == 42
    progress = [frame["progress"] for frame in frames if "progress" in frame]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert progress.count(1.0) == 1
    stages = list(dict.fromkeys(frame["stage"] for frame in frames if "step" in frame))
    assert stages == ["extract", "acoustic", "vocoder", "save"]
    segment = next(frame["segment"] for frame in frames if "segment" in frame)
    assert segment["index"] == 0
    assert segment["duration_s"] > 0.5
    assert segment["audio_url"].partition("?")[0].endswith("/segments/0.wav")
    last = frames[-1]
    assert last["status"] == "completed"
    assert last["output_url"].startswith("/outputs/output_")
    assert last["seed"] == 42
    assert len(last["sha256"]) == 64


async def test_what_was_missed_is_replayed_once(portal: Portal, key: str, socket: Socket) -> None:
    await socket.send(task="generate_audio", text=SHORT)
    frames = await socket.until_ended()
    async with connect(portal, key) as connection:
        late = Socket(connection)
        await late.send(task="subscribe", job=frames[0]["job"], since=3)
        assert await late.until_ended() == frames[3:]


async def test_batches_come_as_arrays_of_the_same_frames(portal: Portal, key: str, socket: Socket) -> None:
    await socket.send(task="generate_audio", text=SHORT)
    frames = await socket.until_ended()
    async with connect(portal, key) as connection:
        reader = Socket(connection)
        await reader.send(task="subscribe", job=frames[0]["job"], batch=True)
        assert await reader.receive() == frames


async def test_messages_are_in_the_readers_language(portal: Portal, key: str, socket: Socket) -> None:
    await socket.send(task="generate_audio", text=SHORT)
    english = await socket.until_ended()
    async with connect(portal, key, "zh-CN") as connection:
        chinese = Socket(connection)
        await chinese.send(task="subscribe", job=english[0]["job"])
        frames = await chinese.until_ended()
    step = next(frame for frame in frames if "step" in frame)
    assert step["message"].startswith(f"正在处理第 {step['step']} 步（共 {step['total']} 步）")
    assert [frame.get("step") for frame in frames] == [frame.get("step") for frame in english]


async def test_ping(socket: Socket) -> None:
    await socket.send(task="ping")
    answer = await socket.receive()
    assert answer["status"] == "pong"
    assert answer["at"] > 1.7e9


async def test_the_portal_scope_tells_changes_in_one_line(socket: Socket) -> None:
    await socket.send(task="subscribe", scope="portal")
    snapshot = await socket.receive()
    assert snapshot["scope"] == "portal"
    assert snapshot["jobs"][0]["status"]
    assert snapshot["queue"]["workers"] == 1
    await socket.send(task="generate_audio", text=SHORT)
    statuses: list[str] = []
    while "completed" not in statuses:
        frame = await socket.receive()
        if frame.get("scope") == "portal" and "job" in frame:
            statuses.append(frame["job"]["status"])
    # A line tells what a job is now: a status that passed quickly may be skipped, none comes out of turn.
    assert statuses == sorted(statuses, key=["queued", "running", "completed"].index)


async def test_the_system_scope_tells_gauges_about_once_a_second(socket: Socket) -> None:
    await socket.send(task="subscribe", scope="system")
    first, second, third = [await socket.receive() for _ in range(3)]
    assert first["workers"][0]["engine"] == "embedded"
    assert 0 <= second["cpu"] <= 1
    assert 0.5 < third["at"] - second["at"] < 3


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ({"task": "generate_audio", "text": ""}, "bad_request", "text"),
        ({"task": "generate_audio", "text": "a", "seed": "x"}, "bad_request", "seed"),
        ({"task": "generate_audio", "text": "a", "prompt_audio": "nobody"}, "bad_request", "prompt_audio"),
        ({"task": "generate_audio", "text": "x" * 50_000}, "bad_request", "text"),
        ({"task": "dance"}, "bad_request", "task"),
        ({"task": "subscribe", "job": "nothing"}, "not_found", None),
        ({"task": "subscribe", "job": "nothing", "since": -1}, "bad_request", "since"),
        ({"task": "control", "job": "nothing", "command": "cancel"}, "not_found", None),
    ],
)
async def test_bad_messages_get_an_error_and_the_socket_lives(
    socket: Socket, message: dict[str, Any], code: str, field: str | None
) -> None:
    await socket.send(**message)
    error = await socket.receive()
    assert (error["status"], error["code"]) == ("error", code)
    assert error["message"]
    assert list(error.get("fields", [])) == ([field] if field else [])
    await socket.send(task="ping")
    assert (await socket.receive())["status"] == "pong"


@pytest.mark.parametrize("text", ["no json", "[1]", "null", '"text"'])
async def test_what_is_no_json_object_is_refused(portal: Portal, key: str, text: str) -> None:
    async with connect(portal, key) as connection:
        await connection.send(text)
        assert (await Socket(connection).receive())["code"] == "bad_request"


async def test_cancel_is_asked_and_applied(socket: Socket) -> None:
    await socket.send(task="generate_audio", text="One more sentence that is spoken slowly. " * 40, speed=0.5)
    job = (await socket.receive())["job"]
    while "stage" not in await socket.receive():
        pass
    await socket.send(task="control", job=job, command="cancel")
    frames = await socket.until_ended()
    assert frames[-1]["status"] == "cancelled"
    asked = next(frame for frame in frames if "control" in frame)
    assert asked["control"]["state"] == "asked"
    assert asked["control"]["by"] == "admin"
    assert frames[-1]["at"] - asked["at"] < 1.0


async def test_a_change_with_redo_is_asked_applied_and_refused_when_wrong(socket: Socket) -> None:
    await socket.send(task="generate_audio", text="One more sentence that is spoken slowly. " * 40, speed=0.5)
    job = (await socket.receive())["job"]
    while (await socket.receive()).get("stage") != "acoustic":
        pass
    await socket.send(task="control", job=job, command="speed", value=1.5, redo="yes")
    await socket.send(task="control", job=job, command="resume")
    await socket.send(task="control", job=job, command="speed", value=1.5, redo=True)
    refused: list[dict[str, Any]] = []
    controls: list[dict[str, Any]] = []
    while len(controls) < 2:
        frame = await socket.receive()
        if frame["status"] == "error":
            refused.append(frame)
        elif "control" in frame:
            controls.append(frame["control"])
    assert [list(error["fields"]) for error in refused] == [["redo"], ["command"]]
    assert [(control["state"], control["redo"]) for control in controls] == [("asked", True), ("applied", True)]
    assert controls[1]["from_segment"] is not None
    await socket.send(task="control", job=job, command="cancel")
    assert (await socket.until_ended())[-1]["status"] == "cancelled"


async def test_without_login_the_socket_closes_with_4401(portal: Portal) -> None:
    async with websockets.connect(portal.socket_url, origin=portal.url) as connection:  # type: ignore[arg-type]
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(connection.recv(), WITHIN_S)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4401


async def test_a_wrong_key_closes_with_4401(portal: Portal) -> None:
    async with connect(portal, "cwk_wrong_key") as connection:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(connection.recv(), WITHIN_S)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_browsers_from_elsewhere_are_refused(portal: Portal, origin: str | None) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(portal.socket_url, origin=origin):  # type: ignore[arg-type]
            pass
    assert refused.value.response.status_code == 403


async def test_a_frame_over_64_kib_closes_the_socket(portal: Portal, key: str) -> None:
    async with connect(portal, key) as connection:
        await connection.send(json.dumps({"task": "generate_audio", "text": "x" * 100_000}))
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(connection.recv(), WITHIN_S)
