"""The whole at a glance: how many of what, what flows now, what flowed today and this month, and what needs a person.

Sessions count as in `mcpp.reads.reports`, whole in the day and the month that their stop lies in. What runs isn't
booked yet and counts in neither; it stands apart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.memory import CHARGE_POINT
from mcpp.reads.attention import MOST_ITEMS, Attention, Gravity
from mcpp.reads.attention_search import AttentionRows, AttentionSearch, AttentionSources, read_attention_rows
from mcpp.reads.live import LiveConnector, LiveReadings
from mcpp.reads.shown_state import ShownState, shown_numbers, shown_state
from mcpp.reads.times import in_zone
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ListPresenceRow, SumEndedTransactionsRow

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The whole at one time."""

    at: datetime
    counts: Counts
    power_w: float
    """What flows now, of all connectors where it's known."""
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


async def read_summary(
    pool: ReaderPool,
    live: LiveChargePoints,
    readings: LiveReadings,
    sources: AttentionSources,
    zone: tzinfo | None,
    now: datetime,
) -> Summary:
    """The summary; `zone` says whose days these are, None for the machine's."""
    day, month = _day_of(now, zone), _month_of(now, zone)
    async with pool.reader() as q:
        points = await q.list_presence()
        reservations = await q.list_reservations_by_status(
            status=ReservationState.ACCEPTED, expires_after=now, before_id=2**63 - 1, page_size=_RESERVATIONS
        )
        today = await q.sum_ended_transactions(since=day[0], until=day[1])
        this_month = await q.sum_ended_transactions(since=month[0], until=month[1])
        rows = await read_attention_rows(q, now, sources.certificate_renewal)
    reserved = {(row.charge_point_id, row.connector_id) for row in reservations}
    tally = _Tally(live, readings, reserved, now)
    for number, point in enumerate(points):
        tally.take(point)
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
    search = AttentionSearch(points, rows, live, readings, sources, now)
    found = sorted(search.find(), key=lambda attention: attention.order)
    return _summary(tally, today, this_month, found, rows)


class _Tally:
    """Counts as it goes."""

    def __init__(
        self, live: LiveChargePoints, readings: LiveReadings, reserved: set[tuple[str, int]], now: datetime
    ) -> None:
        self._live = live
        self._readings = readings
        self._reserved = reserved
        self.now = now
        self.points: Counter[ShownState | None] = Counter()
        """By what they are shown as where they aren't connected; None: they are."""
        self.connectors: Counter[ShownState] = Counter()
        self.power_w = 0.0
        self.running = 0
        self.energy_running_wh = 0

    def take(self, point: ListPresenceRow) -> None:
        identity, has_connected = point.identity, point.last_connect_at is not None
        connected = self._live.connected(identity)
        known = {connector.connector_id: connector for connector in self._readings.connectors_of(identity)}
        if connected:
            self.points[None] += 1
            self.power_w += self._power_w(known)
        else:
            self.points[shown_state(connected=False, has_connected=has_connected, status=None)] += 1
        for number in shown_numbers(known):
            connector = known.get(number)
            state = shown_state(
                connected=connected,
                has_connected=has_connected,
                status=None if connector is None else connector.status,
                has_transaction=connector is not None and connector.transaction_id is not None,
                is_reserved=bool(self._reserved) and (identity, number) in self._reserved,
            )
            self.connectors[state] += 1
        for connector in known.values():
            if connector.transaction_id is not None:
                self.running += 1
                self.energy_running_wh += connector.energy_wh or 0

    def _power_w(self, known: Mapping[int, LiveConnector]) -> float:
        """What flows at the connectors; where none says it, what the charge point's own meter does."""
        whole, parts = None, []
        for number, connector in known.items():
            values = connector.values(self.now) if connector.may_flow else None
            if values is not None and values.power_w is not None:
                if number == CHARGE_POINT:
                    whole = values.power_w
                else:
                    parts.append(values.power_w)
        return sum(parts) if parts else whole or 0.0


def _summary(
    tally: _Tally,
    today: SumEndedTransactionsRow,
    this_month: SumEndedTransactionsRow,
    found: Sequence[Attention],
    rows: AttentionRows,
) -> Summary:
    needing = {
        it.charge_point_id for it in found if it.gravity is not Gravity.NOTICE and it.charge_point_id is not None
    }
    return Summary(
        at=tally.now,
        counts=Counts(
            charge_points=tally.points.total(),
            connected=tally.points[None],
            offline=tally.points[ShownState.OFFLINE],
            never_connected=tally.points[ShownState.NEVER_CONNECTED],
            need_attention=len(needing),
            connectors={state: tally.connectors[state] for state in ShownState},
        ),
        power_w=round(tally.power_w, 1),
        energy_today_wh=today.energy_wh,
        energy_month_wh=this_month.energy_wh,
        sessions_today=today.sessions,
        sessions_month=this_month.sessions,
        implausible_today=today.all_sessions - today.sessions,
        implausible_month=this_month.all_sessions - this_month.sessions,
        sessions_running=tally.running,
        energy_running_wh=tally.energy_running_wh,
        attention=found[:MOST_ITEMS],
        attention_total=len(found) + rows.left_out,
    )


def _day_of(now: datetime, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """From midnight to midnight."""
    today = in_zone(now, zone).date()
    return _midnight(today, zone), _midnight(today + timedelta(days=1), zone)


def _month_of(now: datetime, zone: tzinfo | None) -> tuple[datetime, datetime]:
    first = in_zone(now, zone).date().replace(day=1)
    return _midnight(first, zone), _midnight((first + timedelta(days=31)).replace(day=1), zone)


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
