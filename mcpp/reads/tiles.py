"""The fleet at a glance: each connector with its state, what flows, since when, and who.

Less than `mcpp.reads.charge_points` says of each. In which state all are is known from the summary; the database is
asked of those alone that are shown, so that 2,000 chargers cost milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.statuses import NO_ERROR
from mcpp.reads.connector_names import evse_as_a_whole, has_several, shown_numbers
from mcpp.reads.live import LiveReadings
from mcpp.reads.paging import NEWEST_ID
from mcpp.reads.people import Holders, read_holders
from mcpp.reads.shown_state import ShownState, shown_state
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ListTilesRow
from mcpp_generated.db.readers import Readers

_RESERVATIONS: Final = 100_000
"""More than there can be connectors."""


class Tile(NamedTuple):
    """A connector, or a charge point that has told of none."""

    charge_point_id: str
    name: str
    """What people call its charge point."""
    connector_id: int
    """0 where its charge point has told of none."""
    evse_id: int
    """Of the EVSE that it's one of; 0 where its charge point's OCPP version has connectors only."""
    has_siblings: bool
    """Its EVSE has other connectors."""
    is_only: bool
    """Its charge point has no other: the name says enough."""
    state: ShownState
    error_code: str | None
    """Of a fault."""
    power_w: float | None
    energy_wh: int | None
    """Of the session that runs, so far."""
    since: datetime
    """When the session began that runs, or else the state."""
    id_tag: str | None
    """Of the session that runs, or of the reservation."""
    person: str | None
    """The name of whose card that is."""
    transaction_id: int | None

    @property
    def order(self) -> tuple[object, ...]:
        """By name as people count: 2 before 10."""
        return *natural_order(self.name), self.charge_point_id, self.evse_id, self.connector_id


_DIGITS: Final = re.compile(r"([0-9]+)")


def natural_order(text: str) -> tuple[object, ...]:
    """To sort texts by, with the numbers in them taken as numbers."""
    pieces = _DIGITS.split(text.casefold())
    # Texts and numbers alternate, so like is compared with like.
    return tuple(int(piece[:18]) if index % 2 else piece for index, piece in enumerate(pieces))


async def find_by_name(pool: ReaderPool, wanted: str, limit: int) -> list[str]:
    """The identities of the charge points whose identity or name has this text in it."""
    async with pool.reader() as q:
        return await q.find_by_name(wanted=wanted, row_limit=limit)


async def read_tiles(
    pool: ReaderPool, live: LiveChargePoints, readings: LiveReadings, identities: Sequence[str]
) -> list[Tile]:
    """The tiles of the charge points with these identities, in their fixed order."""
    now = readings.now()
    async with pool.reader() as q:
        rows = await q.list_tiles(identities=identities)
        reserved = await _reserved(q, now)
    holders = await read_holders(pool)
    by_point: dict[str, list[ListTilesRow]] = {}
    for row in rows:
        by_point.setdefault(row.identity, []).append(row)
    tiles = [tile for those in by_point.values() for tile in _tiles_of(those, live, readings, reserved, holders, now)]
    return sorted(tiles, key=lambda tile: tile.order)


async def _reserved(q: Readers, now: datetime) -> Mapping[tuple[str, int, int], str]:
    rows = await q.list_reservations_by_status(
        status=ReservationState.ACCEPTED, expires_after=now, before_id=NEWEST_ID, page_size=_RESERVATIONS
    )
    return {(row.charge_point_id, row.evse_id, row.connector_id): row.id_tag for row in rows}


def _tiles_of(
    rows: Sequence[ListTilesRow],
    live: LiveChargePoints,
    readings: LiveReadings,
    reserved: Mapping[tuple[str, int, int], str],
    holders: Holders,
    now: datetime,
) -> Iterable[Tile]:
    first = rows[0]
    identity = first.identity
    known = {
        (row.evse_id, row.connector_id): row for row in rows if row.evse_id is not None and row.connector_id is not None
    }
    shown = shown_numbers(known)
    for numbers in shown:
        row = known.get(numbers, first)
        has_session = row.transaction_id is not None
        reserved_for = reserved.get((identity, *numbers)) or reserved.get((identity, *evse_as_a_whole(numbers)))
        id_tag = row.id_tag if has_session else reserved_for
        state = shown_state(
            connected=live.connected(identity),
            has_connected=row.last_connect_at is not None,
            status=row.status,
            has_transaction=has_session,
            is_reserved=reserved_for is not None,
        )
        flowing = None if row.transaction_id is None else readings.running(identity, row.transaction_id)
        since = row.started_at or row.status_began_at or row.registered_at
        if state is ShownState.OFFLINE:
            since = row.last_disconnect_at or row.last_connect_at or since
        holder = None if id_tag is None else holders.of(id_tag, row.started_at or now)
        yield Tile(
            charge_point_id=identity,
            name=row.display_name or identity,
            connector_id=numbers[1],
            evse_id=numbers[0],
            has_siblings=has_several(numbers[0], shown),
            is_only=len(shown) == 1,
            state=state,
            error_code=row.error_code if state is ShownState.FAULTED and row.error_code != NO_ERROR else None,
            power_w=None if flowing is None else flowing.power_w(now),
            energy_wh=None if flowing is None else flowing.energy_wh,
            since=since,
            id_tag=id_tag,
            person=None if holder is None else holder.name,
            transaction_id=row.transaction_id,
        )
