"""A receiver of webhooks on loopback: a real socket, with whatever behaviour a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

PATIENCE = 10.0


@dataclass(frozen=True)
class Posted:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def facts(self) -> dict[str, Any]:
        facts = json.loads(self.body)
        assert isinstance(facts, dict)
        return facts


Behaviour: TypeAlias = Callable[[Posted, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode()

    async def write(_: Posted, writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)

    return write


async def hang(_: Posted, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(_: Posted, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


OK = answer(204)


@asynccontextmanager
async def listening(*behaviours: Behaviour) -> AsyncIterator[HttpReceiver]:
    """A receiver that is there for the block."""
    receiver = HttpReceiver(*behaviours)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


class HttpReceiver:
    """Answers requests one after the other per connection; behaviours are used up in order, the last one stays."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours) or [OK]
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self.posted: list[Posted] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hook"

    def behave(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)

    async def start(self) -> None:
        """Listen; after a stop, on the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def wait_for(self, count: int) -> list[Posted]:
        """The first requests, as soon as there are so many."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.posted) >= count)
        return self.posted[:count]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    await self._serve_one(reader, writer)
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        posted = Posted(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
        behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
        async with self._news:
            self.posted.append(posted)
            self._news.notify_all()
        await behaviour(posted, writer)
        await writer.drain()
