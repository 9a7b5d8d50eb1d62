"""Hearing a group of the channel layer at a fraction of the price.

The layer's own ``receive`` takes redis-py's reading with a timeout, three tasks and two queues for each message; here
the event loop hands over what came, and all that came together is heard at once (docs/event-path.md has the figures).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import hiredis
from channels_redis.pubsub import RedisPubSubChannelLayer
from channels_redis.utils import create_pool, decode_hosts


async def hear(
    layer: RedisPubSubChannelLayer, group: str, heard: Callable[[list[bytes]], None], *, connect_within_s: float
) -> None:
    """Call ``heard`` with the packed messages of ``group`` as they come. Returns when Redis has ended the connection.

    Raises what redis-py raises, or TimeoutError, when Redis cannot be reached; hiredis.ReplyError when it refuses.
    """
    (host,) = decode_hosts(layer._kwargs["hosts"])  # noqa: SLF001 the layer keeps its settings to itself
    async with asyncio.timeout(connect_within_s):
        connection = await create_pool(host).get_connection()  # addresses, TLS and passwords are redis-py's matter
    ear = _Ear(heard)
    transport = connection._writer.transport  # noqa: SLF001 redis-py has no other name for it
    transport.set_protocol(ear)
    try:
        name = layer._get_group_channel_name(group)  # noqa: SLF001
        transport.writelines(connection.pack_command("SUBSCRIBE", name))
        await ear.gone
    finally:
        await connection.disconnect(nowait=True)


class _Ear(asyncio.Protocol):
    """The rest of a connection's life: nothing but messages comes."""

    def __init__(self, heard: Callable[[list[bytes]], None]) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = heard
        self._reader = hiredis.Reader()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        messages: list[bytes] = []
        while (reply := self._reader.gets()) is not False:
            if isinstance(reply, hiredis.HiredisError):
                self._end(reply)
            elif reply[0] == b"message":
                messages.append(reply[2])
        if messages:
            self._heard(messages)

    def connection_lost(self, problem: Exception | None) -> None:
        self._end(problem)

    def _end(self, problem: Exception | None) -> None:
        if self.gone.done():
            return
        if problem is None:
            self.gone.set_result(None)
        else:
            self.gone.set_exception(problem)
