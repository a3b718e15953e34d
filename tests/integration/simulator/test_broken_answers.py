"""What a virtual charging station says to an answer that breaks the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from mcpp.csms.version import KnownVersion
from mcpp.ocpp2.known import KNOWN_21
from mcpp.ocppj.errors import InvalidAnswer
from mcpp.simulator.ocpp2.station import Station


async def test_it_is_told_where_the_version_has_a_message_for_that(version: KnownVersion) -> None:
    heard: list[list[Any]] = []

    async def central(socket: ServerConnection) -> None:
        async for text in socket:
            heard.append(json.loads(text))
            if heard[-1][0] == 2:
                await socket.send(json.dumps([3, heard[-1][1], {"currentTime": "soon"}]))

    async with serve(central, "127.0.0.1", 0, subprotocols=[Subprotocol(version.subprotocol)]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Station(f"ws://127.0.0.1:{port}", "CP-1", version) as station:
            with pytest.raises(InvalidAnswer, match="soon"):
                await station.heartbeat()

    told = [frame[:3] for frame in heard if frame[0] == 5]
    assert told == ([[5, heard[0][1], "FormatViolation"]] if version is KNOWN_21 else [])
