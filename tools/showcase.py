"""A small site with a past: six chargers, the people who use them, and two months of sessions; one charger is broken.

All of it is said to a real server over its own listeners, as chargers and people say it; chargers tell of the past as
those do that were offline.
"""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mcpp.ocpp16.errors import SPELLING
from mcpp.ocppj.frames import Call
from mcpp.simulator.charge_point import VirtualChargePoint
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    MeterValue,
    MeterValuesRequest,
    Reason,
    SampledValue,
    StartTransactionRequest,
    StatusNotificationRequest,
    StopTransactionRequest,
)
from tools.demo.server import server

TOKEN: Final = "showcase-operator-token"  # nosec B105  of a server that lives for a minute
_DAYS: Final = 61
_NO_ERROR: Final = ChargePointErrorCode.NO_ERROR


@dataclass(frozen=True)
class Model:
    """What a charger says of itself."""

    identity: str
    name: str
    vendor: str
    model: str
    firmware: str
    kilowatts: float
    connectors: int = 1


CHARGERS: Final = (
    Model("GARAGE-1", "Garage, left", "Alfen BV", "NG910-60023", "6.5.1-4233", 11.0),
    Model("GARAGE-2", "Garage, right", "Alfen BV", "NG910-60023", "6.5.1-4233", 11.0),
    Model("COURT-1", "Courtyard", "ABB", "Terra AC W22-T-R-C-0", "1.8.32", 22.0, 2),
    Model("CARPORT-1", "Carport", "KEBA AG", "KC-P30-ES2400", "3.10.57", 11.0),
    Model("VISITOR-1", "Visitors", "Wallbox Chargers", "PPR1-0-2-4", "6.1.26", 7.4),
    Model("GATE-1", "At the gate", "Schneider Electric", "EVLINK Pro AC", "2.10.1", 11.0),
)

PEOPLE: Final = (
    ("flat-1a", "Flat 1A, Petersen", ("04A2B81C5D6E80",), "0.3400", 0.55),
    ("flat-2b", "Flat 2B, Okafor", ("04F7113A9C4B81", "04F7113A9C4B82"), "0.3400", 0.8),
    ("flat-3c", "Flat 3C, Lindqvist", ("041C66D2E0A180",), "0.3400", 0.35),
    ("van-1", "Van 1 (deliveries)", ("VAN-0001",), "0.2950", 0.9),
    ("van-2", "Van 2 (deliveries)", ("VAN-0002",), "0.2950", 0.7),
    ("caretaker", "Caretaker", ("04E8830B2F7780",), "0.2950", 0.2),
)
"""Id, name, cards, price, and how often they charge on a day."""

STRANGER: Final = "04D95E1177AC80"


@dataclass
class Charger:
    """One of them, connected."""

    model: Model
    point: VirtualChargePoint
    registers: dict[int, int] = field(default_factory=dict)
    """Wh by connector."""

    async def status(
        self, status: ChargePointStatus, error: ChargePointErrorCode = _NO_ERROR, connector: int = 1
    ) -> None:
        """What a connector does."""
        request = StatusNotificationRequest(connector_id=connector, error_code=error, status=status)
        await self.point.call(actions.STATUS_NOTIFICATION, request)

    async def begin(self, card: str, at: datetime, connector: int = 1) -> int:
        """A session begins; gives its id."""
        meter = self.registers.setdefault(connector, 1_200_000 + 310_000 * len(self.model.identity))
        request = StartTransactionRequest(connector_id=connector, id_tag=card, meter_start=meter, timestamp=at)
        return (await self.point.call(actions.START_TRANSACTION, request)).transaction_id

    async def measure(self, transaction_id: int, at: datetime, watts: float, connector: int = 1) -> None:
        """What flows, and the register."""
        values = [
            SampledValue(value=str(round(watts)), measurand="Power.Active.Import", unit="W"),
            SampledValue(value=str(self.registers[connector]), measurand="Energy.Active.Import.Register", unit="Wh"),
        ]
        sample = MeterValue(timestamp=at, sampled_value=values)
        request = MeterValuesRequest(connector_id=connector, transaction_id=transaction_id, meter_value=[sample])
        await self.point.call(actions.METER_VALUES, request)

    async def charge(
        self,
        transaction_id: int,
        since: datetime,
        until: datetime,
        every: timedelta,
        connector: int = 1,
        *,
        fills: bool = True,
    ) -> None:
        """Power and energy from one time to another: full power, and less and less where the battery fills."""
        length = (until - since).total_seconds()
        at = since
        while at <= until:
            done = (at - since).total_seconds() / length
            watts = (
                1000 * self.model.kilowatts * (0.97 if done < 0.7 or not fills else 0.97 * math.exp(-5 * (done - 0.7)))
            )
            watts *= 1 + 0.015 * math.sin(40 * done)
            self.registers[connector] += round(watts * every.total_seconds() / 3600)
            await self.measure(transaction_id, at, watts, connector)
            at += every

    async def end(self, transaction_id: int, at: datetime, connector: int = 1) -> None:
        """The session ends."""
        request = StopTransactionRequest(
            transaction_id=transaction_id,
            meter_stop=self.registers[connector],
            timestamp=at,
            reason=Reason.EV_DISCONNECTED,
        )
        await self.point.call(actions.STOP_TRANSACTION, request)


@dataclass(frozen=True)
class Showcase:
    """The site, as it can be looked at."""

    http_url: str
    running: int
    """The session to look at while it runs."""
    ended: int
    """One that is over."""


def _accept(call: Call) -> bytes:
    del call
    return b'{"status":"Accepted"}'


@asynccontextmanager
async def showcase(database: Path) -> AsyncIterator[Showcase]:
    """The site, up while the block runs."""
    flags = ("--api-token", TOKEN, "--ocpp-url", "ws://192.168.178.40:9000/ocpp", "--currency", "EUR")
    async with AsyncExitStack() as stack:
        ocpp_url, http_url = await stack.enter_async_context(server(database, *flags, "--price-per-kwh", "0.3900"))
        api = httpx.AsyncClient(base_url=f"{http_url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"})
        await stack.enter_async_context(api)
        await _people(api)
        chargers = {}
        for model in CHARGERS:
            point = VirtualChargePoint(
                ocpp_url, model.identity, "ocpp1.6", spell=SPELLING.__getitem__, answer=_accept, call_timeout=30
            )
            await stack.enter_async_context(point)
            chargers[model.identity] = await _come(api, model, point)
        ended = await _past(list(chargers.values()))
        running = await _now(chargers)
        for _ in range(4):
            with suppress(InvalidStatus):
                await connect(f"{ocpp_url.removesuffix('/ocpp')}/steve/websocket/CentralSystemService/")
        yield Showcase(http_url, running, ended)


async def _people(api: httpx.AsyncClient) -> None:
    for person_id, name, cards, price, _ in PEOPLE:
        person = {"name": name, "cards": cards, "price_per_kwh": price}
        (await api.put(f"/people/{person_id}", json=person)).raise_for_status()
        for card in cards:
            (await api.put(f"/id-tags/{card}", json={"status": "Accepted"})).raise_for_status()
    for name, role in (("Phone", "operator"), ("Screen in the hall", "viewer")):
        (await api.post("/tokens", json={"name": name, "role": role})).raise_for_status()


async def _come(api: httpx.AsyncClient, model: Model, point: VirtualChargePoint) -> Charger:
    boot = BootNotificationRequest(
        charge_point_vendor=model.vendor,
        charge_point_model=model.model,
        firmware_version=model.firmware,
        charge_point_serial_number=f"{abs(hash(model.identity)) % 10**8:08}",
    )
    await point.call(actions.BOOT_NOTIFICATION, boot)
    (await api.put(f"/charge-points/{model.identity}", json={"display_name": model.name})).raise_for_status()
    charger = Charger(model, point)
    for connector in range(1, model.connectors + 1):
        await charger.status(ChargePointStatus.AVAILABLE, connector=connector)
    return charger


async def _past(chargers: list[Charger]) -> int:
    """Two months, day by day; gives the last session."""
    dice = random.Random(12)  # nosec B311  the same pictures each time
    midnight = datetime.combine(datetime.now(UTC).date(), time.min, UTC)
    transaction = 0
    for back in range(_DAYS, 0, -1):
        day = midnight - timedelta(days=back)
        free = {
            (charger.model.identity, n + 1): charger for charger in chargers for n in range(charger.model.connectors)
        }
        for _, _, cards, _, often in PEOPLE:
            is_weekend = day.weekday() >= 5
            if not free or dice.random() > often * (0.5 if is_weekend else 1):
                continue
            place = dice.choice(sorted(free))
            charger = free.pop(place)
            begin = day + timedelta(hours=dice.choice([6, 8, 16, 17, 18]), minutes=dice.randrange(60))
            end = begin + timedelta(minutes=dice.randrange(50, 300))
            transaction = await charger.begin(dice.choice(cards), begin, place[1])
            await charger.charge(transaction, begin, end, (end - begin) / 12, place[1])
            await charger.end(transaction, end, place[1])
    return transaction


async def _now(chargers: dict[str, Charger]) -> int:
    """What goes on; gives the session that has run longest."""
    now = datetime.now(UTC)
    sessions = (
        ("GARAGE-1", 1, PEOPLE[1][2][0], timedelta(hours=2, minutes=36)),
        ("COURT-1", 1, PEOPLE[3][2][0], timedelta(minutes=47)),
        ("VISITOR-1", 1, STRANGER, timedelta(minutes=12)),
    )
    longest = 0
    for identity, connector, card, lasts in sessions:
        charger = chargers[identity]
        transaction = await charger.begin(card, now - lasts, connector)
        longest = longest or transaction
        await charger.status(ChargePointStatus.CHARGING, connector=connector)
        every = max(lasts / 60, timedelta(minutes=1))
        await charger.charge(transaction, now - lasts, now, every, connector, fills=False)
        await charger.measure(transaction, datetime.now(UTC), charger.model.kilowatts * 965, connector)
    await chargers["COURT-1"].status(ChargePointStatus.SUSPENDED_EV, connector=2)
    await chargers["CARPORT-1"].status(ChargePointStatus.FAULTED, ChargePointErrorCode.GROUND_FAILURE)
    return longest
