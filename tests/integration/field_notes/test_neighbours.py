"""Each oddity beside what is right: before it, after it, in the same message or in another, in each unit.

What is right is stored as ever, whatever stands beside it, and the message is answered by a CALLRESULT. Each
arrangement has a connector and a transaction of its own; what is wrong with any of them is collected, so that one
failure tells it all.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import combinations, count
from typing import Any, Final, NamedTuple

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import START, CallErrorReceived, RawCharger, entry, minute, sampled
from tests.integration.field_notes.site import Central

UNITS: Final = ("Wh", "kWh", None)
"""As said; what says none is in Wh (OCPP 1.6 §7.43)."""

ODD: Final = "777.5"
"""A voltage, which no good neighbour has."""

DAY: Final = START - timedelta(days=1)
DATE: Final = DAY.strftime("%Y-%m-%d")
LONG: Final = "x" * 5000


def odd_value(**fields: JsonValue) -> dict[str, JsonValue]:
    return {"value": ODD, "measurand": "Voltage", **fields}


def without(payload: dict[str, JsonValue], field: str) -> dict[str, JsonValue]:
    return {key: value for key, value in payload.items() if key != field}


class Oddity(NamedTuple):
    """What an odd thing looks like, whether its value is kept, and whether the schema allows it all the same."""

    payload: JsonValue
    kept: bool = True
    legal: bool = False


TIMES: Final[dict[str, JsonValue]] = {
    "null": None,
    "empty": "",
    "no zone": f"{DATE}T09:05:06",
    "hour without its zero": f"{DATE}T9:05:06Z",
    "slashes": DAY.strftime("%Y/%m/%d 09:05:06"),
    "comma": f"{DATE}T09:05:06,5Z",
    "Unix seconds": int(DAY.timestamp()),
    "Unix milliseconds": int(DAY.timestamp() * 1000),
    "Unix seconds as text": str(int(DAY.timestamp())),
    "UTC": f"{DATE} 09:05:06 UTC",
    "two zones": f"{DATE}T09:05:06+00:00Z",
    "second 60": f"{DATE}T09:05:60Z",
    "24 hours": f"{DATE}T24:00:00Z",
    "year 0": "0000-01-01T00:00:00Z",
    "a word": "soon",
    "no end of digits": "9" * 5000,
    "an object": {"now": True},
    "a list": [],
    "true": True,
}

ENTRIES: Final[dict[str, Oddity]] = {
    "no timestamp": Oddity({"sampledValue": [odd_value()]}),
    **{f"timestamp: {name}": Oddity({"timestamp": at, "sampledValue": [odd_value()]}) for name, at in TIMES.items()},
    "empty": Oddity({}, kept=False),
    "null": Oddity(None, kept=False),
    "a text": Oddity("meter", kept=False),
    "a number": Oddity(7, kept=False),
    "a list": Oddity([], kept=False),
    "no sampledValue": Oddity({"timestamp": minute(30)}, kept=False),
    "sampledValue: null": Oddity({"timestamp": minute(30), "sampledValue": None}, kept=False),
    "sampledValue: empty": Oddity({"timestamp": minute(30), "sampledValue": []}, kept=False, legal=True),
    "sampledValue: a text": Oddity({"timestamp": minute(30), "sampledValue": "230"}, kept=False),
    "sampledValue: an object": Oddity({"timestamp": minute(30), "sampledValue": odd_value()}),
    "unknown field": Oddity({**entry(minute(30), odd_value()), "mood": {"good": [1]}}),
}

OUTSIDE: Final = {
    "context": "Sample.Sometimes",
    "measurand": "CurrentMax",
    "unit": "volts",
    "phase": "L4",
    "location": "Wall",
    "format": "Hex",
}

VALUES: Final[dict[str, Oddity]] = {
    **{f"{field}: outside its enum": Oddity(odd_value(**{field: text})) for field, text in OUTSIDE.items()},
    **{f"{field}: null": Oddity(odd_value(**{field: None})) for field in OUTSIDE},
    **{f"{field}: too long": Oddity(odd_value(**{field: LONG})) for field in OUTSIDE},
    **{f"{field}: a number": Oddity(odd_value(**{field: 7}), kept=False) for field in OUTSIDE},
    "value: a number": Oddity(odd_value(value=777.5)),
    "value: null": Oddity(odd_value(value=None), kept=False),
    "value: missing": Oddity(without(odd_value(), "value"), kept=False),
    "value: empty": Oddity(odd_value(value=""), kept=False, legal=True),
    "value: an object": Oddity(odd_value(value={"a": 1}), kept=False),
    "value: too long": Oddity(odd_value(value=LONG), kept=False, legal=True),
    "value: an endless number": Oddity(odd_value(value="1E+400000"), kept=False, legal=True),
    "unknown field": Oddity(odd_value(mood="good")),
    "empty": Oddity({}, kept=False),
    "null": Oddity(None, kept=False),
    "a text": Oddity("230", kept=False),
}


def register(wh: int, unit: str | None) -> dict[str, JsonValue]:
    """A good reading, in that unit."""
    return sampled(str(wh / 1000) if unit == "kWh" else str(wh), **({"unit": unit} if unit else {}))


class Bench:
    """A charger that tries one thing after the other, each in a session of its own."""

    def __init__(self, central: Central, charger: RawCharger) -> None:
        self.central = central
        self.charger = charger
        self.wrong: dict[str, str] = {}
        """What was tried and failed, and how."""
        self._connectors = count(1)

    async def tried(
        self,
        name: str,
        messages: list[JsonValue],
        stored: list[str],
        *,
        claimed: JsonValue = "ID",
        transaction_data: JsonValue = None,
    ) -> None:
        """A session with these `meterValue`s: all is answered, these values are stored, and it's billed right."""
        connector = next(self._connectors)
        try:
            transaction_id = await self.charger.start(connector=connector, tag=f"TAG{connector}")
            for number, meter_value in enumerate(messages):
                named = claimed if claimed != "ID" and number == 1 else transaction_id
                await self.charger.meter(meter_value, connector=connector, transactionId=named)
            others: dict[str, Any] = {}
            if transaction_data is not None:
                others["transactionData"] = transaction_data
            await self.charger.stop(transaction_id, **others)
        except CallErrorReceived as error:
            self.wrong[name] = str(error)[:300]
            return
        values = await self.central.values(transaction_id)
        transaction = await self.central.transaction(transaction_id)
        billed = transaction["energy_wh"], transaction["energy_implausible"]
        missing = [value for value in stored if value not in values]
        if missing or billed != (7000, False):
            self.wrong[name] = f"not stored: {missing}, billed: {billed}"

    async def assert_all_well(self, *actions: str, legal: bool = False) -> None:
        """Nothing went wrong, nothing lies aside, and what was odd in these messages was counted."""
        assert self.wrong == {}
        assert await self.central.unmatched() == []
        for action in actions:
            assert (await self.central.deviations(action) == 0) is legal, action


@pytest.fixture
def bench(central: Central, charger: RawCharger) -> Bench:
    return Bench(central, charger)


@pytest.mark.parametrize("name", ENTRIES)
async def test_an_odd_entry(bench: Bench, name: str) -> None:
    odd, kept, legal = ENTRIES[name]
    own = [ODD] if kept else []
    tries = [bench.tried("alone", [[odd]], own)]
    for unit in UNITS:
        first, last = register(2000, unit), register(7000, unit)
        before, after = entry(minute(10), first), entry(minute(50), last)
        both = [str(first["value"]), str(last["value"])]
        data: JsonValue = [before, odd, after]
        tries += (
            bench.tried(f"{unit}: after a good one", [[before, odd]], own + both[:1]),
            bench.tried(f"{unit}: before a good one", [[odd, after]], own + both[1:]),
            bench.tried(f"{unit}: between good ones", [[before, odd, after]], own + both),
            bench.tried(f"{unit}: between good messages", [[before], [odd], [after]], own + both),
            bench.tried(f"{unit}: in a stop", [], own + both, transaction_data=data),
        )
    await asyncio.gather(*tries)

    await bench.assert_all_well("MeterValues", "StopTransaction", legal=legal)


@pytest.mark.parametrize("name", VALUES)
async def test_an_odd_sampled_value(bench: Bench, name: str) -> None:
    odd, kept, legal = VALUES[name]
    own = [ODD] if kept else []
    volts = sampled("231", "Voltage")
    tries = [bench.tried("alone", [[entry(minute(30), odd)]], own)]
    for unit in UNITS:
        first, last = register(2000, unit), register(7000, unit)
        one, both = [*own, str(first["value"])], [*own, str(first["value"]), str(last["value"])]
        entries = [entry(minute(10), first), entry(minute(30), odd), entry(minute(50), last)]
        data: JsonValue = [*entries]
        tries += (
            bench.tried(f"{unit}: after a good one", [[entry(minute(30), first, odd)]], one),
            bench.tried(f"{unit}: before a good one", [[entry(minute(30), odd, first)]], one),
            bench.tried(f"{unit}: between good ones", [[entry(minute(30), volts, odd, first)]], [*one, "231"]),
            bench.tried(f"{unit}: between good entries", [data], both),
            bench.tried(f"{unit}: between good messages", [[one_entry] for one_entry in entries], both),
            bench.tried(f"{unit}: in a stop", [], both, transaction_data=data),
        )
    await asyncio.gather(*tries)

    await bench.assert_all_well("MeterValues", "StopTransaction", legal=legal)


@pytest.mark.parametrize("claimed", [2**31, 2**32 - 1, 2**63 - 1, 2**64, -1, 0, None, "", "none", {}], ids=repr)
async def test_an_odd_transaction_id(bench: Bench, claimed: JsonValue) -> None:
    """It counts as none: the values are the connector's running transaction's."""
    tries = []
    for unit in UNITS:
        registers = [register(wh, unit) for wh in (2000, 4000, 7000)]
        messages: list[JsonValue] = [[entry(minute(10 * number), one)] for number, one in enumerate(registers, 1)]
        stored = [str(one["value"]) for one in registers]
        tries.append(bench.tried(f"{unit}", messages, stored, claimed=claimed))
    await asyncio.gather(*tries)

    await bench.assert_all_well()


STARTS: Final[dict[str, tuple[str, JsonValue]]] = {
    **{f"timestamp: {name}": ("timestamp", at) for name, at in TIMES.items()},
    "connectorId: text": ("connectorId", "CONNECTOR"),
    "idTag: a number": ("idTag", 1234),
    "idTag: too long": ("idTag", "T" * 22),
    "idTag: null": ("idTag", None),
    "meterStart: text": ("meterStart", "1000"),
    "meterStart: a decimal": ("meterStart", 1000.4),
    "meterStart: a decimal as text": ("meterStart", "1000.4"),
    "reservationId: null": ("reservationId", None),
    "reservationId: text": ("reservationId", "none"),
    "reservationId: too large": ("reservationId", 2**64),
    "unknown field": ("mood", {"good": True}),
}


@pytest.mark.parametrize("name", STARTS)
async def test_an_odd_start_alone_and_with_another_oddity(bench: Bench, name: str) -> None:
    """Each beside each that comes later in the table, between good ones on other connectors."""
    good = await bench.charger.start(connector=900)
    others = [*STARTS][[*STARTS].index(name) :]
    await asyncio.gather(*(_odd_start(bench, number, name, other) for number, other in enumerate(others, 1)))

    await bench.assert_all_well("StartTransaction")
    await bench.charger.stop(good)
    assert (await bench.central.transaction(good))["energy_wh"] == 7000


async def _odd_start(bench: Bench, connector: int, *names: str) -> None:
    """A start with these oddities, which begins a transaction."""
    payload: dict[str, JsonValue] = {"connectorId": connector, "idTag": "TAG", "meterStart": 1000}
    payload |= {"timestamp": minute(0), **dict(STARTS[name] for name in names)}
    if payload["connectorId"] == "CONNECTOR":
        payload["connectorId"] = str(connector)
    try:
        started = (await bench.charger.say("StartTransaction", payload))["transactionId"]
    except CallErrorReceived as error:
        bench.wrong[names[-1]] = str(error)[:300]
        return
    transaction = await bench.central.transaction(started)
    booked = transaction["connector_id"], transaction["meter_start"], transaction["stopped_at"]
    if booked != (connector, 1000, None):
        bench.wrong[names[-1]] = f"booked {booked}"


STOPS: Final[dict[str, tuple[str, JsonValue]]] = {
    **{
        f"timestamp: {name}": ("timestamp", at)
        for name, at in TIMES.items()
        if name in {"null", "empty", "Unix seconds", "UTC", "year 0", "a word", "an object"}
    },
    "transactionId: text": ("transactionId", "ID"),
    "idTag: a number": ("idTag", 1234),
    "idTag: too long": ("idTag", "T" * 22),
    "idTag: null": ("idTag", None),
    "meterStop: text": ("meterStop", "8000"),
    "meterStop: a decimal": ("meterStop", 8000.4),
    "reason: outside its enum": ("reason", "ChargedEnough"),
    "reason: in another case": ("reason", "evdisconnected"),
    "reason: null": ("reason", None),
    "reason: a number": ("reason", 3),
    "transactionData: null": ("transactionData", None),
    "transactionData: empty": ("transactionData", []),
    "transactionData: an object": ("transactionData", entry(minute(60), sampled("8000"))),
    "transactionData: a text": ("transactionData", "none"),
    "transactionData: an odd entry": ("transactionData", [{}]),
    "unknown field": ("mood", {"good": True}),
}


async def test_odd_stops_alone_and_with_another_oddity(bench: Bench) -> None:
    """Each beside each other one."""
    pairs = [(name, name) for name in STOPS] + [*combinations(STOPS, 2)]
    await asyncio.gather(*(_odd_stop(bench, number, *names) for number, names in enumerate(pairs, 1)))

    await bench.assert_all_well("StopTransaction")


async def _odd_stop(bench: Bench, connector: int, *names: str) -> None:
    """A session whose stop has these oddities, and which is billed right."""
    started = await bench.charger.start(connector=connector, tag=f"TAG{connector}")
    payload: dict[str, JsonValue] = {"transactionId": started, "meterStop": 8000, "timestamp": minute(60)}
    payload |= dict(STOPS[name] for name in names)
    if payload["transactionId"] == "ID":
        payload["transactionId"] = str(started)
    try:
        await bench.charger.say("StopTransaction", payload)
    except CallErrorReceived as error:
        bench.wrong[", ".join(names)] = str(error)[:300]
        return
    transaction = await bench.central.transaction(started)
    billed = transaction["energy_wh"], transaction["energy_implausible"]
    if billed != (7000, False):
        bench.wrong[", ".join(names)] = f"billed {billed}"
