"""`mcpp call` of every operation, at a charging station of the `ocpp` package: the second implementation of both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import ModuleType
from typing import Any, cast

import pytest
from click.testing import CliRunner
from ocpp import v21, v201
from ocpp.charge_point import camel_to_snake_case
from ocpp.v21 import call_result as results21
from ocpp.v201 import call_result as results201
from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mcpp.cli.program import program
from mcpp.ocppj.actions import Sender
from tests.integration.field_notes.site import Central, until
from tests.integration.ocpp2.spoken import VERSIONS, payload, sent_by

_PACKAGE: dict[str, tuple[type[Any], ModuleType]] = {
    "2.0.1": (v201.ChargePoint, results201),
    "2.1": (v21.ChargePoint, results21),
}


def _route(result: type[Any], answer: dict[str, JsonValue]) -> dict[str, Any]:
    members = cast("dict[str, Any]", camel_to_snake_case(answer))  # type: ignore[no-untyped-call]  # no types there
    return {"_on_action": lambda **_: result(**members), "_skip_schema_validation": False}


@asynccontextmanager
async def station(central: Central, version: str, actions: list[str]) -> AsyncIterator[None]:
    """One that answers these actions with the least that is valid; the package judges both, and refuses the others."""
    kind, results = _PACKAGE[version]
    socket = await connect(f"{central.ocpp_url}/CP-1", subprotocols=[Subprotocol(f"ocpp{version}")], proxy=None)
    point = kind("CP-1", socket)
    point.route_map = {
        action: _route(getattr(results, action), payload(version, action, "response"))
        for action in actions
        if hasattr(results, action)
    }
    reader = asyncio.create_task(point.start())
    try:
        yield
    finally:
        await socket.close()
        with suppress(ConnectionClosed):
            await reader


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_operation_by_the_command(central: Central, version: str) -> None:
    actions = sent_by(version, Sender.CENTRAL_SYSTEM)
    failed = {}
    async with station(central, version, actions):
        await until(lambda: central.items("charge-points", connected="true"))
        for action in actions:
            request = json.dumps(payload(version, action, "request"))
            arguments = ["call", "CP-1", action, request, "--api-url", str(central.http.base_url)]
            ended = await asyncio.to_thread(CliRunner().invoke, program, arguments, standalone_mode=False)
            if ended.return_value != 0 or json.loads(ended.stdout) != payload(version, action, "response"):
                failed[action] = ended.output
    assert failed == {}
