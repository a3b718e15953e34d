"""The whole at a glance: how many of what, what flows now, what flowed today and this month, and what needs a person.

Sessions count as in `mcpp.reads.reports`, whole in the day and the month that their stop lies in. What runs isn't
booked yet and counts in neither; it stands apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from heapq import nlargest
from typing import Final, NamedTuple

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.memory import CHARGE_POINT
from mcpp.reads.attention import GRAVITY, MOST_ITEMS, Attention, Gravity
from mcpp.reads.attention_search import AttentionSearch, AttentionSources, Found, read_rows
from mcpp.reads.booked import BookedEnergy
from mcpp.reads.connector_names import STATION, evse_as_a_whole
from mcpp.reads.live import LiveReadings
from mcpp.reads.live_connectors import LiveConnector
from mcpp.reads.paging import NEWEST_ID
from mcpp.reads.shown_state import ShownState, shown_state
from mcpp.reads.times import in_zone
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ListPointsRow

_RESERVATIONS: Final = 100_000
"""More than there can be connectors."""

_AT_ONCE: Final = 200
"""Charge points that are counted in one step, within a millisecond: the event loop is the chargers'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of what."""

    charge_points: int
    connected: int
    offline: int
    never_connected: int
    need_attention: int
    """Charge points with something in the attention list that is more than a notice."""
    connectors: Mapping[ShownState, int]
    """By state, every state: the connectors that are shown (`mcpp.reads.shown_state`)."""


class Place(NamedTuple):
    """A connector by its place, and its state; connector 0 is a charge point that has told of none."""

    charge_point_id: str
    evse_id: int
    connector_id: int
    state: ShownState


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The whole at one time."""

    at: datetime
    counts: Counts
    power_w: float
    """What flows now, of all connectors where it's known."""
    is_power_known: bool
    """Whether it's known of any of them, or no session runs."""
    energy_today_wh: int
    """Of the sessions that ended today; the implausible ones count in neither this nor `sessions_today`."""
    energy_month_wh: int
    sessions_today: int
    sessions_month: int
    implausible_today: int
    implausible_month: int
    sessions_running: int
    energy_running_wh: int
    """What those have taken so far, as far as it's known."""
    attention: Sequence[Attention]
    """The gravest first, of these the newest; at most MOST_ITEMS."""
    attention_total: int
    """How many there are in all."""
    places: Sequence[Place]
    """All connectors that are shown, in no order."""


async def read_summary(
    pool: ReaderPool,
    live: LiveChargePoints,
    readings: LiveReadings,
    booked: BookedEnergy,
    sources: AttentionSources,
    zone: tzinfo | None,
    now: datetime,
) -> Summary:
    """The summary; `zone` says whose days these are, None for the machine's."""
    local = in_zone(now, zone).date()
    today, tomorrow = _midnight(local, zone), _midnight(local + timedelta(days=1), zone)
    first = local.replace(day=1)
    month, next_month = _midnight(first, zone), _midnight((first + timedelta(days=31)).replace(day=1), zone)
    async with pool.reader() as q:
        rows = await read_rows(q, now, sources.certificate_renewal)
        reservations = await q.list_reservations_by_status(
            status=ReservationState.ACCEPTED, expires_after=now, before_id=NEWEST_ID, page_size=_RESERVATIONS
        )
        of_today = await booked.sum(q, today, tomorrow)
        of_month = (await booked.sum_of_past(q, month, today)).plus(await booked.sum(q, today, next_month))
        reserved = {(row.charge_point_id, row.evse_id, row.connector_id) for row in reservations}
        tally = _Tally(live, readings, reserved, now)
        for number, point in enumerate(rows.points):
            tally.take(point)
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        search = AttentionSearch(rows, live, readings, sources, now)
        found = await search.find(q, tally.running)
        attention = await search.told(q, _gravest(found))
    return Summary(
        at=now,
        counts=tally.counts(_needing(found)),
        power_w=round(tally.power_w, 1),
        is_power_known=tally.is_power_known or not tally.running,
        energy_today_wh=of_today.energy_wh,
        energy_month_wh=of_month.energy_wh,
        sessions_today=of_today.sessions,
        sessions_month=of_month.sessions,
        implausible_today=of_today.implausible_sessions,
        implausible_month=of_month.implausible_sessions,
        sessions_running=len(tally.running),
        energy_running_wh=tally.energy_running_wh,
        attention=attention,
        attention_total=len(found) + rows.left_out,
        places=tally.places,
    )


def _gravest(found: Iterable[Found]) -> list[Found]:
    """The first MOST_ITEMS of them: the gravest first, of these the newest."""
    by_gravity: dict[Gravity, list[Found]] = {gravity: [] for gravity in Gravity}
    for it in found:
        by_gravity[GRAVITY[it.code]].append(it)
    first: list[Found] = []
    for those in by_gravity.values():
        first += nlargest(MOST_ITEMS - len(first), those, key=lambda it: it.since)
    return first


def _needing(found: Iterable[Found]) -> int:
    """How many charge points have more than a notice."""
    return len({it.point.key for it in found if it.point is not None and GRAVITY[it.code] is not Gravity.NOTICE})


class _Tally:
    """Counts as it goes."""

    def __init__(
        self, live: LiveChargePoints, readings: LiveReadings, reserved: set[tuple[str, int, int]], now: datetime
    ) -> None:
        self._connected = live.connected
        self._readings = readings
        self._reserved = reserved
        self._now = now
        self._points = dict.fromkeys(("connected", "offline", "never_connected"), 0)
        self._connectors = dict.fromkeys(ShownState, 0)
        self.power_w = 0.0
        self.is_power_known = False
        self.running: list[tuple[ListPointsRow, LiveConnector]] = []
        """The connectors with a transaction that runs."""
        self.energy_running_wh = 0
        self.places: list[Place] = []
        """The connectors that are shown."""

    def take(self, point: ListPointsRow) -> None:
        """Count a charge point in."""
        identity, has_connected = point.identity, bool(point.has_connected)
        connected = self._connected(identity)
        self._points["connected" if connected else "offline" if has_connected else "never_connected"] += 1
        whole, is_shown, power = None, False, None
        for connector in self._readings.connectors_of(identity):
            if connector.transaction_id is not None:
                self.running.append((point, connector))
                self.energy_running_wh += connector.energy_wh or 0
            if connector.connector_id == CHARGE_POINT:
                whole = connector
                continue
            if not connector.is_shown:
                continue
            is_shown = True
            self._show(identity, connector, connected=connected, has_connected=has_connected)
            if connected and (watts := connector.session_power_w(self._now)) is not None:
                power = (power or 0.0) + watts
        if not is_shown:
            self._show(identity, whole, connected=connected, has_connected=has_connected)
        # Where no connector says what flows, the charge point's own meter does.
        if power is None and connected and whole is not None:
            power = whole.session_power_w(self._now)
        if power is not None:
            self.power_w += power
            self.is_power_known = True

    def counts(self, need_attention: int) -> Counts:
        """What it came to."""
        return Counts(
            charge_points=sum(self._points.values()),
            **self._points,
            need_attention=need_attention,
            connectors=self._connectors,
        )

    def _show(self, identity: str, connector: LiveConnector | None, *, connected: bool, has_connected: bool) -> None:
        numbers = STATION if connector is None else (connector.evse_id, connector.connector_id)
        state = shown_state(
            connected=connected,
            has_connected=has_connected,
            status=None if connector is None else connector.status,
            has_transaction=connector is not None and connector.transaction_id is not None,
            is_reserved=bool(self._reserved)
            and not self._reserved.isdisjoint({(identity, *numbers), (identity, *evse_as_a_whole(numbers))}),
        )
        self._connectors[state] += 1
        self.places.append(Place(identity, *numbers, state))


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
