"""A charging station of OCPP 2.0.1 or 2.1 that sends whatever it likes, and says the usual in few words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import JsonValue

from mcpp.ocppj.actions import AnyAction, decode
from mcpp_generated.ocpp21.actions import ACTIONS as ACTIONS_21
from mcpp_generated.ocpp201.actions import ACTIONS as ACTIONS_201
from tests.integration.field_notes.charger import Answer, RawCharger, dialled, minute

VERSIONS: Final = ("2.0.1", "2.1")
CARD: Final[dict[str, JsonValue]] = {"idToken": "TAG", "type": "ISO14443"}


def wh(value: float, context: str | None = None, **others: JsonValue) -> dict[str, JsonValue]:
    """One sampled value of the register, in Wh where nothing else is said."""
    return {"value": value, **({"context": context} if context else {}), **others}


def reading(at: str, *values: JsonValue) -> list[JsonValue]:
    """A `meterValue` with one entry."""
    return [{"timestamp": at, "sampledValue": list(values)}]


def availability(
    state: str, at: str, evse: Mapping[str, JsonValue] | None, component: str = "Connector", event_id: int = 1
) -> dict[str, JsonValue]:
    """The `eventData` that tells of a state."""
    return {
        "eventId": event_id,
        "timestamp": at,
        "trigger": "Delta",
        "actualValue": state,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": component, **({"evse": dict(evse)} if evse else {})},
        "variable": {"name": "AvailabilityState"},
    }


class Station:
    """What a station says most, over a `RawCharger`; each answer must be one that its version allows."""

    def __init__(self, raw: RawCharger, version: str) -> None:
        self.raw = raw
        self.asked_for = raw.asked_for
        self._actions: Mapping[str, AnyAction] = {"2.0.1": ACTIONS_201, "2.1": ACTIONS_21}[version]

    async def say(self, action: str, payload: JsonValue | bytes) -> dict[str, Any]:
        """A CALL that must be understood; gives its CALLRESULT's payload."""
        answer = await self.raw.say(action, payload)
        decode(self._actions[action].response, json.dumps(answer).encode())
        return answer

    async def boot(self) -> None:
        station: JsonValue = {"vendorName": "Acme", "model": "Two"}
        answer = await self.say("BootNotification", {"reason": "PowerUp", "chargingStation": station})
        assert answer["status"] == "Accepted"

    async def status(self, status: str, at: str | None = None, *, evse: int = 1, connector: int = 1) -> None:
        told: JsonValue = {
            "timestamp": at or minute(0), "connectorStatus": status, "evseId": evse, "connectorId": connector
        }  # fmt: skip
        assert await self.say("StatusNotification", told) == {}

    async def event(
        self,
        kind: str,
        at: str | None = None,
        *,
        tx: str = "tx-1",
        evse: JsonValue = None,
        state: str | None = None,
        token: JsonValue = None,
        values: JsonValue = None,
        seq: int = 0,
        why: str = "ChargingStateChanged",
        info: Mapping[str, JsonValue] | None = None,
        **others: JsonValue,
    ) -> dict[str, Any]:
        """A TransactionEvent; gives its answer."""
        told: dict[str, JsonValue] = {
            "eventType": kind,
            "timestamp": at or minute(0),
            "triggerReason": why,
            "seqNo": seq,
            "transactionInfo": {"transactionId": tx, **({"chargingState": state} if state else {}), **(info or {})},
        }
        parts: dict[str, JsonValue] = {"evse": evse, "idToken": token, "meterValue": values}
        told |= {name: value for name, value in parts.items() if value is not None}
        return await self.say("TransactionEvent", told | others)


EVSE: Final[dict[str, JsonValue]] = {"id": 1, "connectorId": 1}


@asynccontextmanager
async def station(
    url: str, version: str, identity: str = "CP-1", answers: Mapping[str, Answer] | None = None
) -> AsyncIterator[Station]:
    """A station that is connected for the block."""
    async with dialled(url, identity, answers or {}, (f"ocpp{version}",)) as raw:
        yield Station(raw, version)
