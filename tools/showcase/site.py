"""A small site with a past: six chargers, the people who use them, and two months of sessions; one charger is broken.

Nearly all of it is said to a real server over its own listeners, as chargers and people say it; chargers tell of the
past as those do that were offline. When chargers were there, and how their connectors stood, only the server can know:
that is in its database when it starts.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mcpp.server.versions import VERSIONS
from tools.demo.server import server
from tools.showcase import charger16, station2
from tools.showcase.charger import Charger, Model
from tools.showcase.states import Visit, write_states

TOKEN: Final = "showcase-operator-token"  # nosec B105  of a server that lives for a minute
_DAYS: Final = 61
_LATER_VERSIONS: Final = {version.name: version for version in VERSIONS[1:]}


CHARGERS: Final = (
    Model("GARAGE-1", "Garage, left", "Alfen BV", "NG910-60023", "6.5.1-4233", 11.0),
    Model("GARAGE-2", "Garage, right", "Alfen BV", "NG910-60023", "6.5.1-4233", 11.0),
    Model("COURT-1", "Courtyard", "ABB", "Terra AC W22-T-R-C-0", "1.8.32", 22.0, 2, "2.0.1"),
    Model("CARPORT-1", "Carport", "KEBA AG", "KC-P30-ES2400", "3.10.57", 11.0, is_broken=True),
    Model("VISITOR-1", "Visitors", "Wallbox Chargers", "PPR1-0-2-4", "6.1.26", 7.4, version="2.1"),
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


@dataclass(frozen=True)
class Showcase:
    """The site, as it can be looked at."""

    http_url: str
    running: int
    """The session to look at while it runs."""
    ended: int
    """One that is over."""


@asynccontextmanager
async def showcase(database: Path) -> AsyncIterator[Showcase]:
    """The site, up while the block runs."""
    flags = ("--api-token", TOKEN, "--ocpp-url", "ws://192.168.178.40:9000/ocpp", "--currency", "EUR")
    visits = _visits()
    write_states(database, CHARGERS, visits)
    async with AsyncExitStack() as stack:
        ocpp_url, http_url = await stack.enter_async_context(server(database, *flags, "--price-per-kwh", "0.3900"))
        api = httpx.AsyncClient(base_url=f"{http_url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"})
        await stack.enter_async_context(api)
        await _people(api)
        chargers = {}
        for model in CHARGERS:
            charger = chargers[model.identity] = await stack.enter_async_context(_connected(ocpp_url, model))
            await charger.come()
            (await api.put(f"/charge-points/{model.identity}", json={"display_name": model.name})).raise_for_status()
        await _past(chargers, visits)
        ended = await _newest(api, open="false")
        await _now(chargers)
        running = await _newest(api, open="true", charge_point_id="GARAGE-1")
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


def _connected(url: str, model: Model) -> AbstractAsyncContextManager[Charger]:
    version = _LATER_VERSIONS.get(model.version)
    return charger16.connected(url, model) if version is None else station2.connected(url, model, version)


async def _newest(api: httpx.AsyncClient, **wanted: str) -> int:
    """The transaction that began last."""
    response = await api.get("/transactions", params={"limit": "1", **wanted})
    response.raise_for_status()
    items: list[dict[str, Any]] = response.json()["items"]
    return int(items[0]["transaction_id"])


async def _past(chargers: Mapping[str, Charger], visits: Sequence[Visit]) -> None:
    """Two months, visit by visit."""
    for visit in visits:
        charger = chargers[visit.identity]
        await charger.begin(visit.card, visit.begin, visit.place)
        await charger.charge(visit.begin, visit.end, (visit.end - visit.begin) / 12, visit.place, fills=True)
        await charger.end(visit.end, visit.place)


def _visits() -> list[Visit]:
    """Who charged when and where in two months, day by day."""
    dice = random.Random(12)  # nosec B311  the same pictures each time
    midnight = datetime.combine(datetime.now(UTC).date(), time.min, UTC)
    visits = []
    for back in range(_DAYS, 0, -1):
        day = midnight - timedelta(days=back)
        free = {(model.identity, place + 1) for model in CHARGERS for place in range(model.places)}
        for _, _, cards, _, often in PEOPLE:
            is_weekend = day.weekday() >= 5
            if not free or dice.random() > often * (0.5 if is_weekend else 1):
                continue
            identity, place = dice.choice(sorted(free))
            free.remove((identity, place))
            begin = day + timedelta(hours=dice.choice([6, 8, 16, 17, 18]), minutes=dice.randrange(60))
            end = begin + timedelta(minutes=dice.randrange(50, 300))
            visits.append(Visit(identity, place, dice.choice(cards), begin, end))
    return visits


async def _now(chargers: dict[str, Charger]) -> None:
    """What goes on."""
    now = datetime.now(UTC)
    sessions = (
        ("GARAGE-1", 1, PEOPLE[1][2][0], timedelta(hours=2, minutes=36)),
        ("COURT-1", 1, PEOPLE[3][2][0], timedelta(minutes=47)),
        ("VISITOR-1", 1, STRANGER, timedelta(minutes=12)),
    )
    for identity, place, card, lasts in sessions:
        charger = chargers[identity]
        await charger.begin(card, now - lasts, place)
        await charger.show_charging(place)
        every = max(lasts / 60, timedelta(minutes=1))
        await charger.charge(now - lasts, now, every, place, fills=False)
        await charger.measure(datetime.now(UTC), charger.model.kilowatts * 965, place)
    full, came = chargers["COURT-1"], now - timedelta(hours=5)
    await full.begin(PEOPLE[4][2][0], came, 2)
    await full.charge(came, now - timedelta(hours=1), timedelta(minutes=5), 2, fills=True)
    await full.show_full(2)
    await full.measure(datetime.now(UTC), 0, 2)
