"""The HTTP listener: uvicorn on the event loop that everything else runs on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from mcpp.api.headers import PLAIN
from mcpp.api.silence import SILENCE_SECONDS, Connection, SilentConnections

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
        secured: Callable[[asyncio.Protocol], asyncio.Protocol] | None = None,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        """`stop_timeout` in seconds; connections over the limit get 503, those without a request end after `silence`.

        `secured` puts TLS below a protocol.
        """
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
        if secured is not None:
            config.load()
            plain = config.http_protocol_class

            def secured_protocol(**given: Any) -> asyncio.Protocol:  # Any: passed on as uvicorn gives it
                return secured(plain(**given))

            # What uvicorn calls for each connection. Its own TLS can't read its files again, nor say why it fails.
            config.http_protocol_class = cast("type[asyncio.Protocol]", secured_protocol)
        self._server = _QuietServer(config)
        self._running: asyncio.Task[None] | None = None
        # The two kinds that uvicorn has differ in nothing that matters here.
        connections = cast("set[Connection]", self._server.server_state.connections)
        self._silent = SilentConnections(connections, silence)
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Begin to listen. Returns the port; raises OSError where the address can't be had."""
        listener = await self._bind()
        port: int = listener.getsockname()[1]
        # uvicorn listens in its first steps, which need no waiting; the kernel keeps connections until then.
        self._running = asyncio.get_running_loop().create_task(self._server.serve([listener]))
        self._watching = asyncio.get_running_loop().create_task(self._silent.watch())
        return port

    async def stop(self) -> None:
        """Accept nothing new, let running requests finish, end them when their time is over."""
        if self._running is not None:
            self._server.should_exit = True
            await self._running
        if self._watching is not None:
            self._watching.cancel()

    async def _bind(self) -> socket.socket:
        """The first address of the host, IPv4 before IPv6: `localhost` has both."""
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(addresses, key=lambda found: found[0] != socket.AF_INET)
        listening = socket.create_server(address, family=family, backlog=_BACKLOG)
        # Accepted sockets inherit it. asyncio's own loop sets it on those only that it has made: without it, head and
        # body of a response are 40 ms apart there.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening


class _QuietServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: signals stop the whole server, not its HTTP side alone."""
        yield
