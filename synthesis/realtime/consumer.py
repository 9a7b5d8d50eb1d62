"""The socket at ``/ws/``: authenticate, join, replay, forward."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation
from django.utils.translation import gettext as _

from synthesis.errors import InvalidInput, NotFound, PortalError, RateLimited
from synthesis.jobs.board import Board
from synthesis.realtime import requests
from synthesis.realtime.audience import Following
from synthesis.realtime.frames import EXTENSION, MessageOutlet, Outlet, WireOutlet, json_frame
from synthesis.realtime.hub import hub
from synthesis.realtime.identity import Identity

CLOSE_NO_LOGIN = 4401
RECHECK_EVERY_S = 60.0
MAX_FOLLOWED = 200
"""Jobs that one socket may follow at once."""


class PortalConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One socket of a page or program. The hub does the listening, so it needs no channel of its own."""

    channel_layer_alias = ""

    identity: Identity
    language = ""
    session = ""
    follows_portal = False
    follows_system = False
    write: Callable[[bytes], None]
    blocked: Callable[[], bool]

    def __init__(self) -> None:
        super().__init__()
        self._followed: dict[str, Following] = {}
        self._outlet: Outlet | None = None
        self._recheck: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Here and not in ``disconnect``, which an error or a server that cannot wait would skip.
            self._leave()

    async def connect(self) -> None:
        self._outlet = self._open_outlet()
        self.write, self.blocked = self._outlet.write, self._outlet.blocked
        await self.accept()
        identity: Identity | None = self.scope["identity"]
        if identity is None:
            await self.close(code=CLOSE_NO_LOGIN)
            return
        self.identity, self.language, self.session = identity, identity.language, identity.session
        hub().enter(self)
        self._recheck = asyncio.create_task(self._recheck_rights())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._recheck is None:  # closing: not logged in
            return
        message: Mapping[str, Any] = {}
        try:
            message = _parse(text_data)
            await self._handle(message)
        except PortalError as problem:
            self._send_error(problem, message)

    # What a client may ask

    async def _handle(self, message: Mapping[str, Any]) -> None:
        handlers: dict[str, Callable[[Mapping[str, Any]], Awaitable[None]]] = {
            "generate_audio": self._generate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "control": self._control,
            "ping": self._pong,
        }
        handler = handlers.get(str(message.get("task")))
        if handler is None:
            with translation.override(self.language):
                problem = _("This must be one of: %(words)s.") % {"words": ", ".join(handlers)}
            raise InvalidInput(problem, fields={"task": problem})
        await handler(message)

    async def _generate(self, message: Mapping[str, Any]) -> None:
        job_id = await self._in_thread(requests.generate, message)
        await self._follow(job_id, 0, batch=bool(message.get("batch")))

    async def _control(self, message: Mapping[str, Any]) -> None:
        await self._in_thread(requests.control, message)

    async def _pong(self, _message: Mapping[str, Any]) -> None:
        self.tell({"status": "pong", "at": requests.now()})

    async def _subscribe(self, message: Mapping[str, Any]) -> None:
        scope = message.get("scope")
        if scope == "portal":
            self.follows_portal = True
            self.tell(await self._in_thread(requests.portal_snapshot, message))
        elif scope == "system":
            self.tell(await self._in_thread(requests.gauges_now, message))
            self.follows_system = True
        else:
            job_id, since = await self._in_thread(requests.job_to_follow, message)
            await self._follow(job_id, since, batch=bool(message.get("batch")))

    async def _unsubscribe(self, message: Mapping[str, Any]) -> None:
        if message.get("scope") == "portal":
            self.follows_portal = False
        elif message.get("scope") == "system":
            self.follows_system = False
        else:
            self._forget(str(message.get("job")))

    # What the hub calls

    def may_see(self, owner: int) -> bool:
        return owner == self.identity.user.pk or self.identity.user.is_superuser

    def portal_queue(self, board: Board) -> None:
        self.tell({"scope": "portal", "queue": requests.queue_for(board, self.identity.user)})

    async def session_ended(self) -> None:
        await self.close(code=CLOSE_NO_LOGIN)

    # The rest

    def tell(self, message: Mapping[str, Any]) -> None:
        self.write(json_frame(message))

    def _open_outlet(self) -> Outlet:
        server = self.scope.get("extensions", {}).get(EXTENSION)
        return WireOutlet(server["write"], server["blocked"]) if server else MessageOutlet(self.send, self.close)

    async def _follow(self, job_id: str, since: int, *, batch: bool) -> None:
        self._forget(job_id)
        if len(self._followed) >= MAX_FOLLOWED:
            with translation.override(self.language):
                raise RateLimited(_("This connection follows too many jobs."))
        self._followed[job_id] = Following(self, job_id, since, batch=batch)
        await hub().follow(self._followed[job_id])

    def _forget(self, job_id: str) -> None:
        following = self._followed.pop(job_id, None)
        if following is not None:
            hub().unfollow(following)

    async def _in_thread(self, work: Callable[[Identity, Mapping[str, Any]], Any], message: Mapping[str, Any]) -> Any:
        """Database work, in a thread and in the reader's language."""

        def run() -> Any:
            with translation.override(self.language):
                return work(self.identity, message)

        return await sync_to_async(run)()

    def _send_error(self, problem: PortalError, message: Mapping[str, Any]) -> None:
        with translation.override(self.language):
            frame = {"status": "error", "code": problem.code, "message": str(problem.message)}
            if problem.hint:
                frame["hint"] = str(problem.hint)
            fields = {name: str(text) for name, text in problem.fields.items()}
        echo = {name: message[name] for name in ("task", "job", "command") if isinstance(message.get(name), str)}
        self.tell({**frame, **({"fields": fields} if fields else {}), **echo})

    def _leave(self) -> None:
        if self._recheck is not None:
            self._recheck.cancel()
        hub().leave(self)
        for following in self._followed.values():
            hub().unfollow(following)
        if self._outlet is not None:
            self._outlet.close()

    async def _recheck_rights(self) -> None:
        """Logged out, deactivated, no longer allowed: the socket ends or forgets within a minute."""
        while True:
            await asyncio.sleep(RECHECK_EVERY_S)
            identity = await sync_to_async(self.identity.renewed)()
            if identity is None:
                await self.close(code=CLOSE_NO_LOGIN)
                return
            self.identity = identity
            allowed = await sync_to_async(requests.visible)(identity, list(self._followed))
            for job_id in set(self._followed) - allowed:
                self._forget(job_id)
                self._send_error(NotFound(_("This job does not exist.")), {"job": job_id})


def _parse(text: str | None) -> Mapping[str, Any]:
    try:
        message = json.loads(text or "")
    except ValueError:
        raise InvalidInput(_("Messages are JSON objects.")) from None
    if not isinstance(message, dict):
        raise InvalidInput(_("Messages are JSON objects."))
    return message
