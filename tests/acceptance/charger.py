"""A charge point of the `ocpp` package: the second, independent implementation that every message passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

from ocpp.v16 import ChargePoint
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol


class Charger(ChargePoint):
    """A charge point that can also fall off the network."""

    socket: ClientConnection

    async def ask(self, request: object) -> Any:
        """Send a CALL; gives the package's response object, whose class depends on the request's."""
        return await super().call(request)  # type: ignore[no-untyped-call]  # the package has no types

    async def cut(self) -> None:
        """End the TCP connection without a close frame, as a power cut or a lost radio link would."""
        self.socket.transport.abort()
        await self.socket.wait_closed()


C = TypeVar("C", bound=Charger)


@asynccontextmanager
async def connected(kind: type[C], url: str, identity: str) -> AsyncIterator[C]:
    """A charger of this kind that is connected for the block; its end closes the connection, where it still stands."""
    socket = await connect(f"{url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")])
    charger = kind(identity, socket)
    charger.socket = socket
    reader = asyncio.create_task(charger.start())  # type: ignore[no-untyped-call]  # the package has no types
    try:
        yield charger
    finally:
        await socket.close()
        with suppress(ConnectionClosed):
            await reader


def connected_charger(url: str, identity: str) -> AbstractAsyncContextManager[Charger]:
    """A charger that obeys no commands."""
    return connected(Charger, url, identity)
