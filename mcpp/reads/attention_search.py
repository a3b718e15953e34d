"""Looks for what needs a person: here is decided when each code begins and ends, by the thresholds in
`mcpp.reads.attention`.

A charge point that isn't connected needs somebody for that alone: what it was last, such as faulted, isn't said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol, TypeAlias

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.certificates import renewal_time
from mcpp.domain.memory import NO_EVSE
from mcpp.domain.statuses import NO_ERROR
from mcpp.reads.attention import (
    IMPLAUSIBLE_FOR,
    LONGEST_TEXT,
    NEVER_BOOTED_AFTER,
    NEVER_BOOTED_FOR,
    NO_METER_VALUES_AFTER,
    OFFLINE_AFTER,
    OPEN_TOO_LONG,
    RECENT,
    REFUSED_FOR,
    Attention,
    AttentionCode,
)
from mcpp.reads.connector_names import STATION, Numbers, connector_mark, has_several, shown_numbers
from mcpp.reads.live import LiveReadings
from mcpp.reads.live_connectors import LiveConnector
from mcpp.reads.shown_state import ShownState, shown_state
from mcpp.reads.times import spell_time
from mcpp.reads.transactions import duration_so_far
from mcpp_generated.db import models
from mcpp_generated.db.readers import Readers

_MOST_READ: Final = 1_000
"""Transactions of a kind that are looked at; the others are counted."""

_AT_ONCE: Final = 500
"""Rows that are asked for in one query by their keys."""

_HOURS: Final = str(OPEN_TOO_LONG // timedelta(hours=1))

_LONE_ATTEMPTS: Final = 3
"""Refused connections without an identity, from which on it's a charger that comes again and again, not a passer-by."""


class RefusedAttempt(Protocol):
    """A connection that was refused, some times by now."""

    @property
    def remote_address(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def charge_point_id(self) -> str | None: ...
    @property
    def remedy(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def last_at(self) -> datetime: ...


class LowDisk(NamedTuple):
    """The database's file system is nearly full."""

    free: int
    """Bytes."""
    since: datetime


class EndingCertificate(NamedTuple):
    """A certificate of the server's own that somebody must renew."""

    name: str
    """What it's for: a listener, or the authority."""
    expires_at: datetime
    since: datetime
    """When it was time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionSources:
    """What is asked beside the database and the live readings; what there is none of is never said."""

    uptime: Callable[[], timedelta] = lambda: timedelta.max
    """Since when chargers can connect."""
    reconnect_loops: Callable[[], Mapping[str, datetime]] = dict
    """The identities that two devices seem to use, and since when."""
    refused: Callable[[], Sequence[RefusedAttempt]] = tuple
    certificate_renewal: timedelta = timedelta(days=30)
    """How long before its end a charger's certificate is renewed."""
    own_certificates: Callable[[], Iterable[EndingCertificate]] = tuple
    low_disk: Callable[[], LowDisk | None] = lambda: None
    """As `is_disk_low` says; None where it isn't."""
    clock_wrong_since: Callable[[], datetime | None] = lambda: None


Running: TypeAlias = tuple[models.ListPointsRow, LiveConnector]
"""A connector with its charge point."""


class Found(NamedTuple):
    """Something that needs a person, as long as nobody has asked for its text."""

    code: AttentionCode
    point: models.ListPointsRow | None
    """None where it's the server's own, or of a charge point that isn't known."""
    numbers: Numbers | None
    """Of the connector."""
    since: float
    """In Unix time."""
    params: Mapping[str, str] = {}
    charge_point_id: str | None = None
    """Where there is no point."""


class SearchRows(NamedTuple):
    """What the database says of the fleet."""

    points: Sequence[models.ListPointsRow]
    long_open: Sequence[models.ListLongOpenRow]
    faulted: Sequence[models.ListFaultedConnectorsRow]
    recovered: Sequence[models.ListLatelyRecoveredRow]
    implausible: Sequence[models.ListLatelyImplausibleRow]
    unmatched: Sequence[models.ListUnmatchedByChargePointRow]
    departures: Sequence[models.ListNewDeparturesRow]
    cards: Sequence[models.ListUnstoredCardsRow]
    ending: Sequence[models.ListEndingUnrenewedRow]

    @property
    def left_out(self) -> int:
        """How many there are beyond those that were read."""
        return sum(rows[0].of_all - len(rows) for rows in (self.recovered, self.implausible) if rows)


async def read_rows(q: Readers, now: datetime, renewal: timedelta) -> SearchRows:
    """All of it, each part along an index."""
    recent, long_ago = now - RECENT, now - OPEN_TOO_LONG
    return SearchRows(
        points=await q.list_points(),
        long_open=await q.list_long_open(began_until=long_ago, told_until=long_ago),
        faulted=await q.list_faulted_connectors(),
        recovered=await q.list_lately_recovered(since=recent, row_limit=_MOST_READ),
        implausible=await q.list_lately_implausible(since=now - IMPLAUSIBLE_FOR, row_limit=_MOST_READ),
        unmatched=await q.list_unmatched_by_charge_point(),
        departures=await q.list_new_departures(since=recent),
        cards=await q.list_unstored_cards(since=recent),
        ending=await q.list_ending_unrenewed(until=now + renewal),
    )


class AttentionSearch:
    """One look at everything, at one time."""

    def __init__(
        self,
        rows: SearchRows,
        live: LiveChargePoints,
        readings: LiveReadings,
        sources: AttentionSources,
        now: datetime,
    ) -> None:
        self._rows = rows
        self._points = {point.key: point for point in rows.points}
        self._by_identity = {point.identity: point for point in rows.points}
        self._connected = live.connected
        self._readings = readings
        self._sources = sources
        self._now = now

    async def find(self, q: Readers, running: Sequence[Running]) -> list[Found]:
        """All of it, in no order; `running` are the connectors with a transaction that runs."""
        found = [*self._faulted(), *self._ended_sessions(), *self._records(), *self._cards()]
        found += [*self._connections(), *self._certificates(), *self._machine()]
        found += await self._absent(q)
        found += await self._open_sessions(q, running)
        return found

    async def told(self, q: Readers, found: Sequence[Found]) -> list[Attention]:
        """The same as others get it, with what people call each charge point."""
        keys = {it.point.key for it in found if it.point is not None}
        names = {row.key: row.display_name for part in _parts(keys) for row in await q.list_names(keys=part)}
        return [self._told(it, names) for it in found]

    async def _absent(self, q: Readers) -> list[Found]:
        """Who was accepted once is missed; who comes and is never accepted has something wrong."""
        has_waited = self._sources.uptime() >= OFFLINE_AFTER
        asked = {
            point.key: point
            for point in self._rows.points
            if point.has_connected and not (point.is_accepted and self._connected(point.identity))
        }
        found = []
        for row in await _presence(q, asked):
            point, came_at = asked[row.key], row.last_connect_at
            if came_at is None:
                continue
            if not point.is_accepted:
                is_over = not self._connected(point.identity) and self._now - came_at > NEVER_BOOTED_FOR
                if self._now - row.registered_at >= NEVER_BOOTED_AFTER and not is_over:
                    found.append(_found(AttentionCode.NEVER_BOOTED, point, None, row.registered_at))
            elif has_waited:
                # Where the server ended without a word, nobody noted the end of the connection.
                seen_at = max(filter(None, (came_at, row.last_disconnect_at, row.last_heartbeat_at)))
                if self._now - seen_at >= OFFLINE_AFTER:
                    found.append(_found(AttentionCode.OFFLINE, point, None, seen_at))
        return found

    def _faulted(self) -> Iterator[Found]:
        for row in self._rows.faulted:
            point = self._points.get(row.charge_point_key)
            if point is not None and self._connected(point.identity):
                told = [None if row.error_code == NO_ERROR else row.error_code, row.vendor_error_code, row.info]
                error = ", ".join(dict.fromkeys(filter(None, told))) or "no details"
                since = row.status_began_at or self._now
                numbers = row.evse_id, row.connector_id
                yield _found(AttentionCode.FAULTED, point, None if numbers == STATION else numbers, since, error=error)

    async def _open_sessions(self, q: Readers, running: Sequence[Running]) -> list[Found]:
        found = []
        for row in self._rows.long_open:
            point = self._points.get(row.charge_point_key)
            lasts = timedelta(seconds=duration_so_far(row.started_at, row.start_received_at, self._now))
            if point is not None and lasts >= OPEN_TOO_LONG:
                facts = {"id_tag": row.id_tag, "transaction_id": str(row.id), "hours": _HOURS}
                since = self._now - lasts
                found.append(
                    _found(AttentionCode.OPEN_TOO_LONG, point, (row.evse_id, row.connector_id), since, **facts)
                )
        said = {it.params["transaction_id"] for it in found}
        silent = {
            number: (point, connector)
            for point, connector in running
            if (number := self._silent_transaction(point, connector)) is not None and str(number) not in said
        }
        if silent:
            found += await self._without_values(q, silent)
        return found

    def _silent_transaction(self, point: models.ListPointsRow, connector: LiveConnector) -> int | None:
        """The transaction that is shown as charging though no values come; when it began isn't asked yet."""
        if connector.values_at is not None and self._now - connector.values_at < NO_METER_VALUES_AFTER:
            return None
        connected = self._connected(point.identity)
        state = shown_state(connected=connected, has_connected=True, status=connector.status, has_transaction=True)
        return connector.transaction_id if state is ShownState.CHARGING else None

    async def _without_values(self, q: Readers, silent: Mapping[int, Running]) -> list[Found]:
        came_at = {row.key: row.last_connect_at for row in await _presence(q, {it.key for it, _ in silent.values()})}
        found = []
        for part in _parts(silent):
            for row in await q.list_open_of(ids=part):
                point, connector = silent[row.id]
                times = (connector.values_at, row.start_received_at, came_at.get(row.charge_point_key))
                since = max(filter(None, times))
                if self._now - since >= NO_METER_VALUES_AFTER:
                    facts = {"id_tag": row.id_tag, "transaction_id": str(row.id)}
                    numbers = row.evse_id, row.connector_id
                    found.append(_found(AttentionCode.NO_METER_VALUES, point, numbers, since, **facts))
        return found

    def _ended_sessions(self) -> Iterator[Found]:
        ended = ((AttentionCode.RECOVERED, self._rows.recovered), (AttentionCode.IMPLAUSIBLE, self._rows.implausible))
        for code, rows in ended:
            for row in rows:
                point = self._points.get(row.charge_point_key)
                if point is not None and row.stop_received_at is not None:
                    facts = {"id_tag": row.id_tag, "transaction_id": str(row.id)}
                    yield _found(code, point, (row.evse_id, row.connector_id), row.stop_received_at, **facts)

    def _records(self) -> Iterator[Found]:
        for row in self._rows.unmatched:
            point = self._points.get(row.charge_point_key)
            if point is not None:
                yield _found(AttentionCode.UNMATCHED, point, None, row.newest_received_at, count=str(row.records))
        for departed in self._rows.departures:
            point = self._points.get(departed.charge_point_key)
            if point is not None:
                count = str(departed.kinds)
                yield _found(AttentionCode.DEVIATING, point, None, departed.newest_first_at, count=count)

    def _cards(self) -> Iterator[Found]:
        """Each card once, where it was last."""
        seen: set[str] = set()
        for row in self._rows.cards:
            point = self._points.get(row.charge_point_key)
            card = row.id_tag.lower()
            if point is not None and card not in seen:
                seen.add(card)
                facts = {"id_tag": row.id_tag, "status": row.status}
                yield _found(AttentionCode.UNKNOWN_CARD, point, None, row.last_at, **facts)

    def _connections(self) -> Iterator[Found]:
        for identity, since in self._sources.reconnect_loops().items():
            point = self._by_identity.get(identity)
            if point is not None:
                yield _found(AttentionCode.RECONNECT_LOOP, point, None, since)
        for attempt in self._sources.refused():
            who = attempt.charge_point_id
            is_over = who is not None and self._connected(who)
            is_passer_by = who is None and attempt.count < _LONE_ATTEMPTS
            if is_over or is_passer_by or self._now - attempt.last_at > REFUSED_FOR:
                continue
            params = {
                "address": attempt.remote_address,
                "path": attempt.path or "/",
                "remedy": attempt.remedy,
                "count": str(attempt.count),
            }
            yield Found(AttentionCode.REFUSED_CONNECTION, None, None, attempt.last_at.timestamp(), params, who)

    def _certificates(self) -> Iterator[Found]:
        """A charger's is renewed by itself: once half of the time for it is over, it seems not to be."""
        late = self._sources.certificate_renewal / 2
        for row in self._rows.ending:
            point = None if row.charge_point_key is None else self._points.get(row.charge_point_key)
            if point is None or row.issued_at is None or row.expires_at is None:
                continue
            late_at = row.expires_at - renewal_time(row.expires_at - row.issued_at, late)
            if late_at <= self._now:
                yield _found(AttentionCode.CERTIFICATE_EXPIRES, point, None, late_at, date=_date(row.expires_at))
        for own in self._sources.own_certificates():
            params = {"name": own.name, "date": _date(own.expires_at)}
            yield Found(AttentionCode.CERTIFICATE_EXPIRES, None, None, own.since.timestamp(), params)

    def _machine(self) -> Iterator[Found]:
        disk = self._sources.low_disk()
        if disk is not None:
            params = {"free_mib": str(disk.free >> 20)}
            yield Found(AttentionCode.DISK_LOW, None, None, disk.since.timestamp(), params)
        wrong_since = self._sources.clock_wrong_since()
        if wrong_since is not None:
            yield Found(AttentionCode.CLOCK_WRONG, None, None, wrong_since.timestamp())

    def _told(self, it: Found, names: Mapping[int, str | None]) -> Attention:
        params, identity = dict(it.params), it.charge_point_id
        if it.point is not None:
            identity = it.point.identity
            params["name"] = names.get(it.point.key) or identity
        # What to do is our own text, and says the most important last.
        params = {name: text if name == "remedy" else _cut(text) for name, text in params.items()}
        known = () if identity is None else self._readings.connectors(identity)
        evse_id, connector_id = it.numbers or (NO_EVSE, None)
        if connector_id is not None and len(shown_numbers(known)) > 1:
            several = has_several(evse_id, known)
            params["name"] += f" {connector_mark(connector_id, evse_id, several=several)}"
        return Attention(it.code, identity, connector_id, datetime.fromtimestamp(it.since, UTC), params, evse_id)


async def _presence(q: Readers, keys: Iterable[int]) -> list[models.ListPresenceRow]:
    return [row for part in _parts(keys) for row in await q.list_presence(keys=part)]


def _parts(keys: Iterable[int]) -> list[list[int]]:
    """So many that they may be parameters of one query."""
    every = sorted(keys)
    return [every[first : first + _AT_ONCE] for first in range(0, len(every), _AT_ONCE)]


def _found(
    code: AttentionCode, point: models.ListPointsRow, numbers: Numbers | None, since: datetime, **params: str
) -> Found:
    return Found(code, point, numbers, since.timestamp(), params)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _date(moment: datetime) -> str:
    """2026-05-04, in UTC."""
    return spell_time(moment)[:10]
