"""Requests by way of a reverse proxy: who made them, and whether by TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

FindClient: TypeAlias = Callable[[str, Iterable[tuple[str, str]]], tuple[str, bool | None]]
"""By the address that a connection comes from and the request's headers: whose request it is, and whether TLS protects
it on its way to the proxy; None where no proxy that is trusted says."""


class Forwarded:
    """Puts client and scheme as a trusted proxy says in place of the proxy's own."""

    def __init__(self, app: ASGIApp, find_client: FindClient) -> None:
        self._app = app
        self._find_client = find_client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            peer, port = scope["client"]
            headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
            address, is_encrypted = self._find_client(peer, headers)
            scope = {**scope, "client": (address, port if address == peer else 0)}
            if is_encrypted is not None:
                scope["scheme"] = "https" if is_encrypted else "http"
        await self._app(scope, receive, send)
