"""In which states connectors were shown, from when to when: out of what is kept of statuses, connections and sessions.

Each moment's state is what `shown_state` would have said then. Where the server didn't run, or what was then is no
longer kept, there is none. A reservation counts where the charge point told of it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from mcpp import bounds
from mcpp.reads.connector_names import Numbers, has_several, shown_numbers
from mcpp.reads.shown_state import ShownState, shown_state
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import ChargePoint, ListConnectionsRow, ListShownConnectorsRow, ServerRun
from mcpp_generated.db.readers import Readers

FEWEST_STRETCHES: Final = 10
MOST_STRETCHES: Final = 1_000
STRETCHES: Final = 300

LONGEST: Final = timedelta(days=400)
"""That can be asked for at once."""

_LONGEST_SESSION: Final = timedelta(days=31)
"""One that began so long before is known by its status alone."""

_MOST_SESSIONS: Final = 2_000

_STEP: Final = 500
"""Changes that are gone through at once: a few milliseconds."""

Known = TypeVar("Known")
Span: TypeAlias = tuple[datetime, datetime]


class Stretch(NamedTuple):
    """A span of time in one state."""

    since: datetime
    until: datetime
    state: ShownState | None
    """None: the server didn't run, or nothing is kept of that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorHistory:
    """How a connector was shown over time."""

    connector_id: int
    """0 for the charge point as a whole, where it has told of no connector."""
    evse_id: int
    has_siblings: bool
    """Its EVSE has other connectors."""
    durations: dict[ShownState | None, timedelta]
    """How long it was in each state, exactly."""
    stretches: list[Stretch]
    """In order, without a gap."""
    slot: timedelta | None
    """None where each stretch is exact; else they are made of slots of this length, each in the state that lasted
    longest in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHistory:
    """How a charge point's connectors were shown from one time to another."""

    charge_point_id: str
    since: datetime
    until: datetime
    connectors: list[ConnectorHistory]


async def read_state_history(
    pool: ReaderPool,
    charge_point_id: str,
    since: datetime,
    until: datetime,
    most: int = STRETCHES,
    connectors: int = bounds.CONNECTORS,
) -> StateHistory | None:
    """The states in a span of time that is over: of so many connectors, up to `most` stretches of each.

    None where there is no such charge point.
    """
    async with pool.reader() as q:
        (point,) = await q.get_charge_points(identities=[charge_point_id]) or (None,)
        if point is None:
            return None
        rows = await q.list_shown_connectors(charge_point_key=point.key)
        connections = await q.list_connections(charge_point_key=point.key)
        runs = await q.list_runs()
    presence = _presence(point, connections, runs, until)
    known = {(row.evse_id, row.connector_id): row for row in rows}
    shown = shown_numbers(known)
    found = []
    for numbers in shown[:connectors]:
        async with pool.reader() as q:
            exact = await _stretches(q, known.get(numbers), presence, (since, until))
        found.append(_history(numbers, exact, most, has_siblings=has_several(numbers[0], shown)))
        await asyncio.sleep(0)
    return StateHistory(charge_point_id=charge_point_id, since=since, until=until, connectors=found)


class _Steps(Generic[Known]):
    """What was so from when on: each value until the next."""

    def __init__(self, before: Known, steps: Iterable[tuple[datetime, Known]]) -> None:
        self._values = [before]
        self.times: list[datetime] = []
        for time, value in steps:
            self.times.append(time)
            self._values.append(value)

    def at(self, time: datetime) -> Known:
        return self._values[bisect_right(self.times, time)]


class _Presence(NamedTuple):
    """Whether a charge point was connected, and what is known of that."""

    runs: _Steps[bool]
    connections: _Steps[bool]
    known_since: datetime
    first_came_at: datetime

    @property
    def times(self) -> list[datetime]:
        return [*self.runs.times, *self.connections.times, self.known_since, self.first_came_at]


def _presence(
    point: ChargePoint, connections: Sequence[ListConnectionsRow], runs: Sequence[ServerRun], until: datetime
) -> _Presence:
    # The last one goes on, and has noted itself some seconds ago.
    ran = [(run.began_at, until if run is runs[-1] else run.newest_at) for run in runs]
    oldest = connections[0].began_at if connections else until
    has_lost_none = point.connection_epoch <= len(connections)
    return _Presence(
        runs=_whether(ran),
        connections=_whether(_connected(connections, ran, until)),
        known_since=point.registered_at if has_lost_none else oldest,
        first_came_at=oldest if has_lost_none else point.registered_at,
    )


def _connected(connections: Sequence[ListConnectionsRow], ran: Sequence[Span], until: datetime) -> Iterable[Span]:
    """The spans of connections: one whose end was never noted lasted until the next, or as long as the server ran."""
    starts = [begin for begin, _ in ran]
    nexts = [*(row.began_at for row in connections[1:]), until]
    for row, next_at in zip(connections, nexts, strict=False):
        run = bisect_right(starts, row.began_at)
        ended_at = row.ended_at or (ran[run - 1][1] if run else next_at)
        yield row.began_at, min(ended_at, next_at)


def _whether(spans: Iterable[Span]) -> _Steps[bool]:
    """Whether a time is in one of some spans, which are in the order of their beginnings."""
    merged: list[Span] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif begin < end:
            merged.append((begin, end))
    return _Steps(False, (step for begin, end in merged for step in ((begin, True), (end, False))))


async def _stretches(
    q: Readers, connector: ListShownConnectorsRow | None, presence: _Presence, span: Span
) -> list[Stretch]:
    since, until = span
    statuses: _Steps[str | None] = _Steps(None, ())
    used = _whether(())
    known_since = presence.known_since
    if connector is not None:
        kept = await q.list_connector_statuses(connector_key=connector.key)
        statuses = _Steps(None, ((row.began_at, row.status) for row in kept))
        if connector.status_changes > len(kept):
            known_since = max(known_since, kept[0].began_at)
        sessions = await q.list_times_in_use(
            connector_key=connector.key, since=since - _LONGEST_SESSION, until=until, row_limit=_MOST_SESSIONS
        )
        used = _whether((row.started_at, row.stopped_at or until) for row in reversed(sessions))
    times = sorted({at for at in (*presence.times, *statuses.times, *used.times, known_since) if since < at < until})
    stretches: list[Stretch] = []
    for index, (begin, end) in enumerate(zip([since, *times], [*times, until], strict=True), 1):
        if index % _STEP == 0:
            await asyncio.sleep(0)  # a charge point may never have rested: others have their turn
        state = None
        if begin >= known_since and presence.runs.at(begin):
            state = shown_state(
                connected=presence.connections.at(begin),
                has_connected=begin >= presence.first_came_at,
                status=statuses.at(begin),
                has_transaction=used.at(begin),
            )
        _append(stretches, Stretch(begin, end, state))
    return stretches


def _append(stretches: list[Stretch], stretch: Stretch) -> None:
    """Add what follows; what is in the same state is one stretch with it."""
    if stretches and stretches[-1].state is stretch.state:
        stretch = stretches.pop()._replace(until=stretch.until)
    stretches.append(stretch)


def _history(numbers: Numbers, exact: list[Stretch], most: int, *, has_siblings: bool) -> ConnectorHistory:
    slot = None if len(exact) <= most else (exact[-1].until - exact[0].since) / most
    return ConnectorHistory(
        connector_id=numbers[1],
        evse_id=numbers[0],
        has_siblings=has_siblings,
        durations=_durations(exact),
        stretches=exact if slot is None else _coarsened(exact, slot, most),
        slot=slot,
    )


def _durations(stretches: Iterable[Stretch]) -> dict[ShownState | None, timedelta]:
    durations: dict[ShownState | None, timedelta] = {}
    for stretch in stretches:
        durations[stretch.state] = durations.get(stretch.state, timedelta()) + (stretch.until - stretch.since)
    return durations


def _coarsened(exact: Sequence[Stretch], slot: timedelta, count: int) -> list[Stretch]:
    coarse: list[Stretch] = []
    first = 0
    for index in range(count):
        begin = exact[0].since + index * slot
        end = exact[-1].until if index + 1 == count else begin + slot
        while exact[first].until <= begin:
            first += 1
        parts = _durations(_within(exact, first, begin, end))
        _append(coarse, Stretch(begin, end, max(parts, key=lambda state: parts[state])))
    return coarse


def _within(stretches: Sequence[Stretch], first: int, begin: datetime, end: datetime) -> Iterable[Stretch]:
    """What of some stretches is in a span, which begins in the one at `first`."""
    for stretch in islice(stretches, first, None):
        if stretch.since >= end:
            return
        yield Stretch(max(stretch.since, begin), min(stretch.until, end), stretch.state)
