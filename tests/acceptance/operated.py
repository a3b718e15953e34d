"""A charge point of the `ocpp` package that answers operations as it is told to, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from ocpp.charge_point import camel_to_snake_case
from ocpp.exceptions import OCPPError
from ocpp.v16 import call_result
from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.acceptance.charger import Charger


class OperatedCharger(Charger):
    """Payloads pass the package's own validation on their way in and out."""

    def script(self, answers: dict[str, dict[str, JsonValue] | OCPPError]) -> None:
        """What to answer, by action; an action that isn't there gets NotImplemented."""
        self.seen: list[tuple[str, JsonValue]] = []
        """Actions and payloads as they came over the wire."""
        self.route_map = {action: self._route(action, answer) for action, answer in answers.items()}

    async def route_message(self, raw_msg: str) -> None:
        message = json.loads(raw_msg)
        if message[0] == 2:
            self.seen.append((message[2], message[3]))
        await super().route_message(raw_msg)  # type: ignore[no-untyped-call]  # the package has no types

    def _route(self, action: str, answer: dict[str, JsonValue] | OCPPError) -> dict[str, Any]:
        def handle(**_: object) -> object:
            if isinstance(answer, OCPPError):
                raise answer
            return getattr(call_result, action)(**camel_to_snake_case(answer))  # type: ignore[no-untyped-call]  # the same

        return {"_on_action": handle, "_skip_schema_validation": False}


@asynccontextmanager
async def operated_charger(
    url: str, identity: str, answers: dict[str, dict[str, JsonValue] | OCPPError]
) -> AsyncIterator[OperatedCharger]:
    """A charger that is connected for the block and answers by script."""
    socket = await connect(f"{url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")])
    charger = OperatedCharger(identity, socket)  # type: ignore[no-untyped-call]  # the package has no types
    charger.socket = socket
    charger.script(answers)
    reader = asyncio.create_task(charger.start())  # type: ignore[no-untyped-call]  # the same
    try:
        yield charger
    finally:
        await socket.close()
        with suppress(ConnectionClosed):
            await reader
