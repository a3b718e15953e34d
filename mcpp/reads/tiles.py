"""The fleet at a glance: each connector with its state, what flows, since when, and who.

Less than `mcpp.reads.charge_points` says of each, so that 2,000 chargers cost milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from mcpp.csms.live import LiveChargePoints
from mcpp.reads.live import LiveReadings
from mcpp.reads.paging import NEWEST_ID
from mcpp.reads.shown_state import ShownState, shown_numbers, shown_state
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ListConnectorsRow, ListOpenSessionsRow
from mcpp_generated.db.readers import Readers

_AT_ONCE: Final = 10_000
"""Keys of one query; SQLite takes 32,766 parameters."""

_RESERVATIONS: Final = 100_000
"""More than there can be connectors."""


class _Point(Protocol):
    @property
    def key(self) -> int: ...
    @property
    def identity(self) -> str: ...
    @property
    def display_name(self) -> str | None: ...
    @property
    def registered_at(self) -> datetime: ...
    @property
    def last_connect_at(self) -> datetime | None: ...
    @property
    def last_disconnect_at(self) -> datetime | None: ...


class Tile(NamedTuple):
    """A connector, or a charge point that has told of none."""

    charge_point_id: str
    name: str
    """What people call its charge point."""
    connector_id: int | None
    """None where its charge point has told of none."""
    is_only: bool
    """Its charge point has no other: the name says enough."""
    state: ShownState
    error_code: str | None
    """Of a fault."""
    power_w: float | None
    energy_wh: int | None
    """Of the session that runs, so far."""
    since: datetime | None
    """When the session began that runs, or else the state."""
    id_tag: str | None
    """Of the session that runs, or of the reservation."""
    transaction_id: int | None

    @property
    def order(self) -> tuple[object, ...]:
        """By name as people count: 2 before 10."""
        return *natural_order(self.name), self.charge_point_id, self.connector_id or 0


_DIGITS: Final = re.compile(r"([0-9]+)")


def natural_order(text: str) -> tuple[object, ...]:
    """To sort texts by, with the numbers in them taken as numbers."""
    pieces = _DIGITS.split(text.casefold())
    # Texts and numbers alternate, so like is compared with like.
    return tuple(int(piece[:18]) if index % 2 else piece for index, piece in enumerate(pieces))


async def read_tiles(
    pool: ReaderPool, live: LiveChargePoints, readings: LiveReadings, only: Collection[str] | None = None
) -> list[Tile]:
    """The tiles of all charge points, or of those with these identities, in their fixed order."""
    now = readings.now()
    async with pool.reader() as q:
        points: Sequence[_Point]
        points = await q.list_presence() if only is None else await q.get_charge_points(identities=list(only))
        keys = [point.key for point in points]
        connectors: list[ListConnectorsRow] = []
        for begin in range(0, len(keys), _AT_ONCE):
            connectors += await q.list_connectors(charge_point_keys=keys[begin : begin + _AT_ONCE])
        sessions = {session.id: session for session in await q.list_open_sessions()}
        reserved = await _reserved(q, now)
    by_point: dict[int, list[ListConnectorsRow]] = {}
    for connector in connectors:
        by_point.setdefault(connector.charge_point_key, []).append(connector)
    tiles = [
        tile
        for point in points
        for tile in _tiles_of(point, by_point.get(point.key, []), live, readings, sessions, reserved, now)
    ]
    return sorted(tiles, key=lambda tile: tile.order)


async def _reserved(q: Readers, now: datetime) -> Mapping[tuple[str, int], str]:
    rows = await q.list_reservations_by_status(
        status=ReservationState.ACCEPTED, expires_after=now, before_id=NEWEST_ID, page_size=_RESERVATIONS
    )
    return {(row.charge_point_id, row.connector_id): row.id_tag for row in rows}


def _tiles_of(
    point: _Point,
    connectors: Sequence[ListConnectorsRow],
    live: LiveChargePoints,
    readings: LiveReadings,
    sessions: Mapping[int, ListOpenSessionsRow],
    reserved: Mapping[tuple[str, int], str],
    now: datetime,
) -> Iterable[Tile]:
    identity = point.identity
    name = point.display_name or identity
    is_connected = live.connected(identity)
    known = {it.connector_id: it for it in connectors}
    numbers = shown_numbers(known)
    for number in numbers:
        connector = known.get(number)
        status = holder = session = error = None
        began = point.registered_at
        if connector is not None:
            status, error = connector.status, connector.error_code
            began = connector.status_began_at or began
            session = sessions.get(connector.transaction_id or 0)
            holder = reserved.get((identity, connector.connector_id))
        state = shown_state(
            connected=is_connected,
            has_connected=point.last_connect_at is not None,
            status=status,
            has_transaction=session is not None,
            is_reserved=holder is not None,
        )
        if state is ShownState.OFFLINE:
            began = point.last_disconnect_at or point.last_connect_at or began
        power = energy = None
        if session is not None:
            began, holder = session.started_at, session.id_tag
            flowing = readings.running(identity, session.id)
            if flowing is not None:
                power, energy = flowing.power_w(now), flowing.energy_wh
        yield Tile(
            identity,
            name,
            number or None,
            len(numbers) == 1,
            state,
            error if state is ShownState.FAULTED else None,
            power,
            energy,
            began,
            holder,
            None if session is None else session.id,
        )
