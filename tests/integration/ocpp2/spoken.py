"""Chargers of OCPP 2.0.1 and 2.1 for tests, and payloads by the official schemas."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from mcpp.ocppj.actions import Sender
from tests.contract import official
from tests.contract.official import JsonTree, Shape, dump
from tests.contract.payloads import complete, least
from tests.integration.field_notes.charger import Answer, RawCharger
from tests.integration.field_notes.site import Central

VERSIONS = {"2.0.1": official.OCPP201, "2.1": official.OCPP21}
BOOT: JsonValue = {"reason": "PowerUp", "chargingStation": {"model": "One", "vendorName": "Acme"}}


@asynccontextmanager
async def charger_of(
    central: Central, version: str, answers: Mapping[str, Answer] | None = None, *, boots: bool = True
) -> AsyncIterator[RawCharger]:
    """A charger that is connected, by the name CP-1, and has booted."""
    async with central.dial("CP-1", answers, [f"ocpp{version}"]) as charger:
        if boots:
            assert (await charger.say("BootNotification", BOOT))["status"] == "Accepted"
        yield charger


@asynccontextmanager
async def authenticated(
    central: Central, version: str, password: str, answers: Mapping[str, Answer] | None = None
) -> AsyncIterator[RawCharger]:
    """A charger that connects with a password, by the name CP-1; raises InvalidStatus where it isn't let in."""
    credentials = b64encode(f"CP-1:{password}".encode()).decode()
    socket = await connect(
        f"{central.ocpp_url}/CP-1",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": f"Basic {credentials}"},
        proxy=None,
    )
    charger = RawCharger("CP-1", socket, answers or {})
    try:
        yield charger
    finally:
        await charger.close()


def shape(version: str, action: str, part: str) -> Shape:
    """A message of a version, `part` being request or response."""
    judge = VERSIONS[version]
    found = (judge.actions.get(action) or judge.sends[action]) if part == "request" else judge.actions[action]
    model = found.request if part == "request" else judge.actions[action].response
    return next(it for it in judge.messages if it.name == model.__name__)


def payload(version: str, action: str, part: str, *, whole: bool = False) -> dict[str, Any]:
    """What is required only, or all there is; of such numbers and lengths that nothing is refused for them."""
    message = shape(version, action, part)
    tree = (complete if whole else least)(message.schema, message.root)
    return cast("dict[str, Any]", json.loads(dump(_plausible(tree))))


def _plausible(tree: JsonTree) -> JsonTree:
    if isinstance(tree, dict):
        return {key: _plausible(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plausible(value) for value in tree]
    if isinstance(tree, str):
        return tree[:500]  # a message with all of its texts as long as allowed is no message any more
    return 1 if isinstance(tree, int) and not isinstance(tree, bool) and tree < 0 else tree


def sent_by(version: str, sender: Sender) -> list[str]:
    """The actions of CALLs that one side may send."""
    return sorted(name for name, action in VERSIONS[version].actions.items() if action.sender in {sender, Sender.BOTH})
