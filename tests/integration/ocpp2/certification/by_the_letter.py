"""A charging station that follows OCPP 2.0.1 to the letter, and holds the central system to it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from mcpp.ocppj.actions import decode
from mcpp_generated.ocpp201.actions import ACTIONS
from tests.integration.field_notes.charger import Answer, RawCharger, minute
from tests.integration.field_notes.site import Central

ACCEPTED: Final[dict[str, JsonValue]] = {"status": "Accepted"}
REJECTED: Final[dict[str, JsonValue]] = {"status": "Rejected"}
PLACE: Final[dict[str, JsonValue]] = {"id": 1, "connectorId": 1}

_numbers = count(1)


@dataclass
class Station:
    """One station at a central system that it shares with others."""

    central: Central
    raw: RawCharger
    token: dict[str, JsonValue]
    """A card that nobody else presents."""

    @property
    def identity(self) -> str:
        return self.raw.identity

    async def say(self, action: str, payload: JsonValue) -> dict[str, Any]:
        """A CALL; both its payload and its answer must be valid to the letter."""
        decode(ACTIONS[action].request, json.dumps(payload).encode())
        answer = await self.raw.say(action, payload)
        decode(ACTIONS[action].response, json.dumps(answer).encode())
        return answer

    async def commanded(self, action: str, payload: dict[str, JsonValue], answer: Answer) -> dict[str, Any]:
        """What an operator is told of a command, which must have come as asked for and be valid to the letter."""
        decode(ACTIONS[action].request, json.dumps(payload).encode())
        self.raw.answers[action] = answer
        before = self.raw.how_often(action)
        told = await self.central.accepted(action, payload, self.identity)
        (sent,) = [sent for name, sent in self.raw.asked if name == action][before:]
        assert sent == payload
        return told

    async def boot(self, reason: str = "PowerUp") -> dict[str, Any]:
        station: JsonValue = {"model": "One", "vendorName": "Acme", "firmwareVersion": "1.0"}
        return await self.say("BootNotification", {"reason": reason, "chargingStation": station})

    async def status(self, status: str, at: float = 0, *, evse: int = 1, connector: int = 1) -> None:
        told: JsonValue = {
            "timestamp": minute(at), "connectorStatus": status, "evseId": evse, "connectorId": connector
        }  # fmt: skip
        assert await self.say("StatusNotification", told) == {}

    async def event(
        self,
        kind: str,
        why: str,
        seq: int,
        *,
        tx: str = "tx",
        state: str | None = None,
        info: Mapping[str, JsonValue] | None = None,
        **others: JsonValue,
    ) -> dict[str, Any]:
        """A TransactionEvent, of as many minutes as its number; members without a value are left out."""
        transaction: dict[str, JsonValue] = {"transactionId": f"{self.identity}-{tx}"}
        if state is not None:
            transaction["chargingState"] = state
        told: dict[str, JsonValue] = {
            "eventType": kind,
            "triggerReason": why,
            "seqNo": seq,
            "timestamp": minute(seq),
            "transactionInfo": transaction | dict(info or {}),
            **{name: value for name, value in others.items() if value is not None},
        }
        return await self.say("TransactionEvent", told)

    async def charges(self, tx: str = "tx", *, evse: int = 1) -> str:
        """A session begins and charges; gives its id."""
        place: JsonValue = {"id": evse, "connectorId": 1}
        await self.event("Started", "CablePluggedIn", 0, tx=tx, state="EVConnected", evse=place)
        await self.event("Updated", "Authorized", 1, tx=tx, state="Charging", idToken=self.token)
        return f"{self.identity}-{tx}"

    async def get(self, path: str = "") -> Any:
        """What the API tells of it."""
        return await self.central.get(f"charge-points/{self.identity}{path}")

    async def items(self, path: str) -> list[dict[str, Any]]:
        return await self.central.items(f"charge-points/{self.identity}/{path}")

    async def transactions(self) -> list[dict[str, Any]]:
        return await self.central.items("transactions", charge_point_id=self.identity)

    async def transaction(self) -> dict[str, Any]:
        """The one that there is."""
        (found,) = await self.transactions()
        return found

    async def states(self) -> dict[tuple[int | None, int], str]:
        """How the places stand of which it's known, in the words of OCPP 1.6."""
        connectors = (await self.get())["connectors"]
        return {(c["evse_id"], c["connector_id"]): c["status"] for c in connectors if c["status"] is not None}

    async def accept(self, id_tag: str, **others: JsonValue) -> dict[str, JsonValue]:
        """An operator stores a card; gives it as a station tells it."""
        await self.central.put(f"id-tags/{id_tag}", others)
        return {"idToken": id_tag, "type": "ISO14443"}


def reading(seq: int, value: float, context: str | None = None, **others: JsonValue) -> JsonValue:
    """A `meterValue` of a register in Wh."""
    sampled: dict[str, JsonValue] = {"value": value, **({"context": context} if context else {}), **others}
    return [{"timestamp": minute(seq), "sampledValue": [sampled]}]


@asynccontextmanager
async def station_at(central: Central, *, boots: bool = True) -> AsyncIterator[Station]:
    """A station of its own with a card of its own, connected for the block."""
    number = next(_numbers)
    async with central.dial(f"CS-{number}", {}, ["ocpp2.0.1"]) as raw:
        station = Station(central, raw, {"idToken": f"CARD-{number}", "type": "ISO14443"})
        await station.accept(f"CARD-{number}")
        if boots:
            assert (await station.boot())["status"] == "Accepted"
            await station.status("Available")
        yield station


@asynccontextmanager
async def by_password(central: Central, path: str, user: str, password: str) -> AsyncIterator[RawCharger]:
    """Connected with these credentials for the block; raises InvalidStatus where they don't let in."""
    credentials = b64encode(f"{user}:{password}".encode()).decode()
    socket = await connect(
        f"{central.ocpp_url}/{path}",
        subprotocols=[Subprotocol("ocpp2.0.1")],
        additional_headers={"Authorization": f"Basic {credentials}"},
        proxy=None,
    )
    charger = RawCharger(path, socket, {})
    try:
        yield charger
    finally:
        await charger.close()
