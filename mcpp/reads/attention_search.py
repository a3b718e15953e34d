"""Looks for what needs a person: here is decided when each code begins and ends, by the thresholds in
`mcpp.reads.attention`.

A charge point that isn't connected needs somebody for that alone: what it was last, such as faulted, isn't said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.certificates import renewal_time
from mcpp.domain.statuses import NO_ERROR, may_draw_current
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
from mcpp.reads.live import LiveReadings
from mcpp.reads.shown_state import shown_numbers
from mcpp.reads.times import spell_time
from mcpp.reads.transactions import duration_so_far
from mcpp_generated.db import models
from mcpp_generated.db.readers import Readers

_MOST_READ: Final = 1_000
"""Transactions of a kind that are looked at; the others are counted."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRows:
    """What the database says."""

    open_sessions: Sequence[models.ListOpenSessionsRow]
    faulted: Sequence[models.ListFaultedConnectorsRow]
    recovered: Sequence[models.ListLatelyRecoveredRow]
    implausible: Sequence[models.ListLatelyImplausibleRow]
    unmatched: Sequence[models.ListUnmatchedByChargePointRow]
    departed: Sequence[models.ListLatelyDepartedRow]
    cards: Sequence[models.ListUnstoredCardsRow]
    ending: Sequence[models.ListEndingUnrenewedRow]

    @property
    def left_out(self) -> int:
        """How many there are beyond those that were read."""
        return sum(rows[0].of_all - len(rows) for rows in (self.recovered, self.implausible) if rows)


async def read_attention_rows(q: Readers, now: datetime, renewal: timedelta) -> AttentionRows:
    """All of it, each part along an index."""
    recent = now - RECENT
    return AttentionRows(
        open_sessions=await q.list_open_sessions(),
        faulted=await q.list_faulted_connectors(),
        recovered=await q.list_lately_recovered(since=recent, row_limit=_MOST_READ),
        implausible=await q.list_lately_implausible(since=now - IMPLAUSIBLE_FOR, row_limit=_MOST_READ),
        unmatched=await q.list_unmatched_by_charge_point(),
        departed=await q.list_lately_departed(since=recent),
        cards=await q.list_unstored_cards(since=recent),
        ending=await q.list_ending_unrenewed(until=now + renewal),
    )


class AttentionSearch:
    """One look at everything, at one time."""

    def __init__(
        self,
        points: Sequence[models.ListPresenceRow],
        rows: AttentionRows,
        live: LiveChargePoints,
        readings: LiveReadings,
        sources: AttentionSources,
        now: datetime,
    ) -> None:
        self._points = {point.key: point for point in points}
        self._by_identity = {point.identity: point for point in points}
        self._rows = rows
        self._live = live
        self._readings = readings
        self._sources = sources
        self._now = now

    def find(self) -> Iterator[Attention]:
        """All of it, in no order."""
        yield from self._presence()
        yield from self._faulted()
        yield from self._open_sessions()
        yield from self._ended_sessions()
        yield from self._records()
        yield from self._cards()
        yield from self._connections()
        yield from self._certificates()
        yield from self._machine()

    def _presence(self) -> Iterator[Attention]:
        """Who was accepted once is missed; who comes and is never accepted has something wrong."""
        now, connected = self._now, self._live.connected
        has_waited = self._sources.uptime() >= OFFLINE_AFTER
        for point in self._points.values():
            came_at = point.last_connect_at
            if came_at is None:
                continue
            if point.boot_accepted_at is None:
                is_over = not connected(point.identity) and now - came_at > NEVER_BOOTED_FOR
                if now - point.registered_at >= NEVER_BOOTED_AFTER and not is_over:
                    yield self._of(AttentionCode.NEVER_BOOTED, point, None, point.registered_at)
            elif has_waited and not connected(point.identity):
                # Where the server ended without a word, nobody noted the end of the connection.
                seen_at = max(filter(None, (came_at, point.last_disconnect_at, point.last_heartbeat_at)))
                if now - seen_at >= OFFLINE_AFTER:
                    yield self._of(AttentionCode.OFFLINE, point, None, seen_at)

    def _faulted(self) -> Iterator[Attention]:
        for row in self._rows.faulted:
            point = self._points.get(row.charge_point_key)
            if point is None or not self._live.connected(point.identity):
                continue
            told = [None if row.error_code == NO_ERROR else row.error_code, row.vendor_error_code, row.info]
            error = ", ".join(dict.fromkeys(filter(None, told))) or "no details"
            number = row.connector_id or None
            yield self._of(AttentionCode.FAULTED, point, number, row.status_began_at or self._now, error=error)

    def _open_sessions(self) -> Iterator[Attention]:
        hours = str(OPEN_TOO_LONG // timedelta(hours=1))
        for row in self._rows.open_sessions:
            point = self._points.get(row.charge_point_key)
            if point is None:
                continue
            facts = {"id_tag": row.id_tag, "transaction_id": str(row.id)}
            lasts = timedelta(seconds=duration_so_far(row.started_at, row.start_received_at, self._now))
            if lasts >= OPEN_TOO_LONG:
                since = self._now - lasts
                yield self._of(AttentionCode.OPEN_TOO_LONG, point, row.connector_id, since, hours=hours, **facts)
            elif (silent_since := self._silent_since(point, row)) is not None:
                yield self._of(AttentionCode.NO_METER_VALUES, point, row.connector_id, silent_since, **facts)

    def _silent_since(self, point: models.ListPresenceRow, row: models.ListOpenSessionsRow) -> datetime | None:
        """Since when a transaction has no meter values though its car may draw current; None where all is well."""
        if not self._live.connected(point.identity):
            return None
        connector = self._readings.running(point.identity, row.id)
        if connector is None or (connector.status is not None and not may_draw_current(connector.status)):
            return None
        since = max(filter(None, (connector.values_at, row.start_received_at, point.last_connect_at)))
        return since if self._now - since >= NO_METER_VALUES_AFTER else None

    def _ended_sessions(self) -> Iterator[Attention]:
        ended = ((AttentionCode.RECOVERED, self._rows.recovered), (AttentionCode.IMPLAUSIBLE, self._rows.implausible))
        for code, rows in ended:
            for row in rows:
                point = self._points.get(row.charge_point_key)
                if point is not None and row.stop_received_at is not None:
                    facts = {"id_tag": row.id_tag, "transaction_id": str(row.id)}
                    yield self._of(code, point, row.connector_id, row.stop_received_at, **facts)

    def _records(self) -> Iterator[Attention]:
        for row in self._rows.unmatched:
            point = self._points.get(row.charge_point_key)
            if point is not None:
                yield self._of(AttentionCode.UNMATCHED, point, None, row.newest_received_at, count=str(row.records))
        for departed in self._rows.departed:
            point = self._points.get(departed.charge_point_key)
            if point is not None:
                count = str(departed.kinds)
                yield self._of(AttentionCode.DEVIATING, point, None, departed.newest_last_at, count=count)

    def _cards(self) -> Iterator[Attention]:
        """Each card once, where it was last."""
        seen: set[str] = set()
        for row in self._rows.cards:
            point = self._points.get(row.charge_point_key)
            card = row.id_tag.lower()
            if point is not None and card not in seen:
                seen.add(card)
                facts = {"id_tag": row.id_tag, "status": row.status}
                yield self._of(AttentionCode.UNKNOWN_CARD, point, None, row.last_at, **facts)

    def _connections(self) -> Iterator[Attention]:
        for identity, since in self._sources.reconnect_loops().items():
            point = self._by_identity.get(identity)
            if point is not None:
                yield self._of(AttentionCode.RECONNECT_LOOP, point, None, since)
        for attempt in self._sources.refused():
            who = attempt.charge_point_id
            is_over = who is not None and self._live.connected(who)
            is_passer_by = who is None and attempt.count < _LONE_ATTEMPTS
            if is_over or is_passer_by or self._now - attempt.last_at > REFUSED_FOR:
                continue
            params = {
                "address": attempt.remote_address,
                "path": _cut(attempt.path) or "/",
                "remedy": attempt.remedy,
                "count": str(attempt.count),
            }
            yield Attention(AttentionCode.REFUSED_CONNECTION, who, None, attempt.last_at, params)

    def _certificates(self) -> Iterator[Attention]:
        """A charger's is renewed by itself: once half of the time for it is over, it seems not to be."""
        for row in self._rows.ending:
            late = self._sources.certificate_renewal / 2
            point = None if row.charge_point_key is None else self._points.get(row.charge_point_key)
            if point is None or row.issued_at is None or row.expires_at is None:
                continue
            due_at = row.expires_at - renewal_time(row.expires_at - row.issued_at, late)
            if due_at <= self._now:
                yield self._of(AttentionCode.CERTIFICATE_EXPIRES, point, None, due_at, date=_date(row.expires_at))
        for own in self._sources.own_certificates():
            params = {"name": own.name, "date": _date(own.expires_at)}
            yield Attention(AttentionCode.CERTIFICATE_EXPIRES, None, None, own.since, params)

    def _machine(self) -> Iterator[Attention]:
        disk = self._sources.low_disk()
        if disk is not None:
            yield Attention(AttentionCode.DISK_LOW, None, None, disk.since, {"free_mib": str(disk.free >> 20)})
        wrong_since = self._sources.clock_wrong_since()
        if wrong_since is not None:
            yield Attention(AttentionCode.CLOCK_WRONG, None, None, wrong_since, {})

    def _of(
        self,
        code: AttentionCode,
        point: models.ListPresenceRow,
        connector_id: int | None,
        since: datetime,
        **params: str,
    ) -> Attention:
        name = point.display_name or point.identity
        cut = {param: _cut(text) for param, text in {"name": name, **params}.items()}
        if connector_id is not None and len(shown_numbers(self._readings.connectors(point.identity))) > 1:
            cut["name"] += f" #{connector_id}"
        return Attention(code, point.identity, connector_id, since, cut)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _date(moment: datetime) -> str:
    """2026-05-04, in UTC."""
    return spell_time(moment)[:10]
