"""Every command of OCPP 2.0.1 and 2.1 by `mcpp call`, at charge points of the `ocpp` package, or raw ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ocpp import v21, v201
from ocpp.charge_point import camel_to_snake_case
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mcpp.cli.call import call
from mcpp.ocppj.actions import Sender
from tests.integration.field_notes.site import Central
from tests.integration.ocpp2.spoken import VERSIONS, charger_of, payload, sent_by

PACKAGES: Any = {"2.0.1": v201, "2.1": v21}


def snake(tree: object) -> Any:
    """With the names that the package has for members."""
    return camel_to_snake_case(tree)  # type: ignore[no-untyped-call]  # the package has no types


async def mcpp_call(central: Central, action: str, request: object) -> Result:
    arguments = ["CP-1", action, json.dumps(request), "--api-url", str(central.http.base_url)]
    return await asyncio.to_thread(CliRunner().invoke, call, arguments, standalone_mode=False)


@asynccontextmanager
async def charge_point(central: Central, version: str, seen: dict[str, Any]) -> AsyncIterator[set[str]]:
    """A charge point of the package that takes down what it's asked; gives the actions that it knows."""
    package = PACKAGES[version]

    def answering(action: str) -> Callable[..., Any]:
        def handle(**asked: Any) -> Any:
            seen[action] = asked
            answer = snake(payload(version, action, "response"))
            return getattr(package.call_result, action)(**answer)

        return handle

    known = {action for action in sent_by(version, Sender.CENTRAL_SYSTEM) if hasattr(package.call_result, action)}
    socket = await connect(f"{central.ocpp_url}/CP-1", subprotocols=[Subprotocol(f"ocpp{version}")])
    charger = package.ChargePoint("CP-1", socket)
    for action in known:
        charger.route_map[action] = {"_on_action": answering(action)}
    reader = asyncio.create_task(charger.start())
    try:
        yield known
    finally:
        await socket.close()
        with suppress(ConnectionClosed):
            await reader


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_command_reaches_a_charge_point_and_its_answer_is_printed(central: Central, version: str) -> None:
    commands = sent_by(version, Sender.CENTRAL_SYSTEM)
    assert len(commands) == {"2.0.1": 40, "2.1": 55}[version]
    seen: dict[str, Any] = {}
    printed: dict[str, Any] = {}

    async def ask(actions: set[str]) -> None:
        for action in sorted(actions):
            ended = await mcpp_call(central, action, payload(version, action, "request"))
            assert (ended.exception, ended.return_value) == (None, 0), f"{action}: {ended.output}"
            printed[action] = json.loads(ended.stdout)

    async with charge_point(central, version, seen) as known:
        await ask(known)
    assert seen == {action: snake(payload(version, action, "request")) for action in known}
    others = {*commands} - known
    async with charger_of(central, version, {it: payload(version, it, "response") for it in others}) as raw:
        await ask(others)
        assert dict(raw.asked) == {action: payload(version, action, "request") for action in others}
    assert printed == {action: payload(version, action, "response") for action in commands}
    assert len(known) > 30
