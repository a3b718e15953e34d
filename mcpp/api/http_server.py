"""The HTTP listener: uvicorn on the event loop that everything else runs on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from mcpp.api.headers import PLAIN

_BACKLOG = 128
"""Connections waiting to be accepted: people, scripts and scrapers, not fleets."""

STOP_TIMEOUT_SECONDS = 3
"""For requests to finish at shutdown."""


class HttpServer:
    """Serves an ASGI application on one address."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        stop_timeout: int = STOP_TIMEOUT_SECONDS,
        connection_limit: int | None = None,
    ) -> None:
        """`stop_timeout` in seconds; connections over the limit get 503."""
        self._host = host
        self._port = port
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            headers=list(PLAIN),
            # What X-Forwarded-… says is judged by the application (mcpp.api.proxies).
            proxy_headers=False,
            timeout_graceful_shutdown=stop_timeout,
            limit_concurrency=connection_limit,
        )
        self._server = _QuietServer(config)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Begin to listen. Returns the port; raises OSError where the address can't be had."""
        listener = await self._bind()
        port: int = listener.getsockname()[1]
        # uvicorn listens in its first steps, which need no waiting; the kernel keeps connections until then.
        self._running = asyncio.get_running_loop().create_task(self._server.serve([listener]))
        return port

    async def stop(self) -> None:
        """Accept nothing new, let running requests finish, end them when their time is over."""
        if self._running is not None:
            self._server.should_exit = True
            await self._running

    async def _bind(self) -> socket.socket:
        """The first address of the host, IPv4 before IPv6: `localhost` has both."""
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(addresses, key=lambda found: found[0] != socket.AF_INET)
        return socket.create_server(address, family=family, backlog=_BACKLOG)


class _QuietServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: signals stop the whole server, not its HTTP side alone."""
        yield
