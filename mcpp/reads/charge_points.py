"""Charge points: what the database has of them, joined with what is live. What one looks like is decided here alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from pydantic import Field

from mcpp import bounds
from mcpp.csms.live import LiveChargePoints
from mcpp.csms.operations import TransactionIds
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.phases import WHOLE, ByPhase
from mcpp.domain.stamps import StampBook
from mcpp.domain.versions import read_versions
from mcpp.reads.connector_names import evse_as_a_whole
from mcpp.reads.live import EnergyTotal, LiveReadings
from mcpp.reads.live_connectors import NO_VALUES, LiveValues
from mcpp.reads.paging import NEWEST_ID, Cursors, Page, PageQuery, by_name
from mcpp.reads.shown_state import ShownState, shown_state
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db import models
from mcpp_generated.db.enums import Availability, ReservationState
from mcpp_generated.db.readers import Readers

_PORTION: Final = 50
"""Charge points of a page that are read in one step: each may have hundreds of connectors."""

_IDS_AT_ONCE: Final = 5000
"""Looked through in one step for those that are, or aren't, connected: some milliseconds."""

_TOTAL: Final = "total"
"""What holds for the connector as a whole, among its phases."""

_POINT_BYTES: Final = 900
"""Of a charge point in an answer, without its texts and its connectors."""

_CONNECTOR_BYTES: Final = 450
"""Of a connector in an answer, without its texts."""

_RESERVATIONS: Final = 100_000
"""More than there can be connectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorState:
    """A connector as the database has it; `connector_id` 0 is the charge point as a whole."""

    connector_id: int
    evse_id: int = NO_EVSE
    """Of the EVSE that it's one of; 0 where its charge point's OCPP version has connectors only."""
    status: str | None
    """As last reported, in the words of OCPP 1.6 (§7.7)."""
    reported_status: str | None = None
    """The charge point's own word, where `status` is derived from it."""
    error_code: str | None
    status_at: datetime | None
    transaction_id: int | None
    """Of the transaction that runs on it."""
    ocpp_transaction_id: str | None = None
    """The charge point's own id of the same, where it makes one."""
    transaction_started_at: datetime | None = None
    """By the charger's clock."""
    energy_wh: int | None = None
    """What that transaction has taken so far; None where it isn't known."""
    awaits_token: bool = False
    """Whether that transaction has begun without a token, such as by its cable, and still has none (OCPP 2.0.1 E02)."""
    inoperative: bool
    """Last ordered to be (OCPP 1.6 §5.2)."""
    reserved_for: str | None
    """The id tag of the reservation that holds it now; connector 0's may be used at any connector."""
    session_correlation_id: str | None
    """Of the charging session that it's in, from `Preparing` on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointState:
    """A charge point as the database has it, and whether it's connected: the part that plugins see."""

    charge_point_id: str
    display_name: str | None = None
    connected: bool
    accepted: bool
    """Whether its boot was ever accepted; before, nothing is sent that no person asked for."""
    vendor: str | None
    model: str | None
    serial_number: str | None = None
    firmware_version: str | None
    energy_wh: int = 0
    """Of all its transactions, so far; never falls, also across restarts."""
    auto_start: bool | None
    """None: the setting for all holds."""
    connectors: Sequence[ConnectorState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector(ConnectorState):
    """A connector, with all that is known of it."""

    state: ShownState
    power_w: float | None
    """This and what follows: None unless a session runs, its charge point is connected, and it's known."""
    current_a: Mapping[str, float] | None
    """By phase; `total` for the connector's, the sum where the charger sends none."""
    voltage_v: Mapping[str, float] | None
    """By phase, or between two; `total` for one that the charger sends for the whole connector."""
    soc_percent: float | None
    """Of the car's battery."""
    measured_at: datetime | None
    """The newest of these values, by the charger's clock."""
    status_began_at: datetime | None
    """Since when it has its status without a break, by this server's clock."""
    ordered_availability: Availability | None
    """None where it was never ordered to be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePoint(ChargePointState):
    """A charge point, with all that is known of it but for what only `ChargePointDetail` has."""

    connectors: Sequence[Connector]
    ocpp_version: str | None
    """Of its last connection."""
    ocpp_versions: Sequence[str] | None
    """Those that it may speak, as an operator says; None: all that the server speaks."""
    rated_power_w: int | None
    """What each connector can deliver at most, as an operator says."""
    security_profile: int | None
    """The least that an operator asks of it; None: as the setting says for all."""
    highest_profile: int
    """That it has used; a lower one no longer lets it in."""
    used_profile: int | None
    """By its connection now."""
    certificate_serial: str | None
    """What its certificate may have as CN in place of its identity, as an operator says."""
    last_connect_at: datetime | None
    last_disconnect_at: datetime | None
    last_boot_at: datetime | None
    last_heartbeat_at: datetime | None
    last_status_at: datetime | None
    last_meter_values_at: datetime | None
    last_tx_start_at: datetime | None
    last_tx_stop_at: datetime | None
    last_error_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedAvailability:
    """What a connector was last ordered to be, and agreed to."""

    connector_id: int
    evse_id: int
    availability: Availability


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePointDetail(ChargePoint):
    """A charge point, with what takes queries of its own."""

    reports: Sequence[models.ChargePointReport]
    local_list_version: int | None
    """Last known; 0 for an empty list, -1 where it knows no lists (OCPP 1.6 §5.10)."""

    @property
    def ordered_availability(self) -> list[OrderedAvailability]:
        """Of the connectors that were ordered to be something."""
        return [
            OrderedAvailability(
                connector_id=connector.connector_id,
                evse_id=connector.evse_id,
                availability=connector.ordered_availability,
            )
            for connector in self.connectors
            if connector.ordered_availability is not None
        ]


_CURSORS: Final[Cursors[ChargePoint, tuple[str]]] = by_name(lambda point: point.charge_point_id)


class ChargePointQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    connected: bool | None = Field(None, description="Only those that are connected now, or are not.")
    vendor: str | None = Field(None, description="Only this vendor's, as the chargers spell it.")


class ChargePoints:
    """The charge points, by the identity that each connects with. Used on the event loop only."""

    def __init__(self, pool: ReaderPool, live: LiveChargePoints, stamps: StampBook, readings: LiveReadings) -> None:
        """`stamps` are those that wait to be written."""
        self._pool = pool
        self._live = live
        self._stamps = stamps
        self._readings = readings

    async def list_page(self, query: ChargePointQuery) -> Page[ChargePoint]:
        """Charge points by identity. Raises BadCursor."""
        async with self._pool.reader() as q:
            reservations = await _reservations(q, self._readings.now())

            async def fetch(behind: tuple[str], count: int) -> list[ChargePoint]:
                (after,) = behind
                rows: list[models.ChargePoint] = []
                # Again where some were deleted meanwhile: fewer than asked for would be the list's end.
                while len(rows) < count and (ids := await self._find_ids(q, query, after, count - len(rows))):
                    rows += await q.get_charge_points(identities=ids)
                    after = ids[-1]
                return await self._join(q, rows, reservations)

            return await _CURSORS.read(query, fetch, _size_of, _PORTION)

    async def list_all(self) -> list[ChargePoint]:
        """All of them, by identity, as far as `bounds.ALL_CHARGE_POINTS` goes."""
        points: list[ChargePoint] = []
        after, left = "", bounds.ALL_CHARGE_POINTS
        async with self._pool.reader() as q:
            reservations = await _reservations(q, self._readings.now())
            while ids := await q.list_identities(after=after, page_size=_PORTION):
                rows = await q.get_charge_points(identities=ids)
                for point in await self._join(q, rows, reservations):
                    left -= _size_of(point)
                    if left < 0:
                        return points
                    points.append(point)
                after = ids[-1]
        return points

    async def find(self, charge_point_id: str) -> ChargePoint | None:
        """One of them; None where it's unknown."""
        async with self._pool.reader() as q:
            row = await q.get_charge_point(identity=charge_point_id)
            return None if row is None else await self._join_one(q, row)

    async def find_detail(self, charge_point_id: str) -> ChargePointDetail | None:
        """One of them with its details; None where it's unknown."""
        async with self._pool.reader() as q:
            row = await q.get_charge_point(identity=charge_point_id)
            if row is None:
                return None
            point = await self._join_one(q, row)
            reports = await q.list_reports(charge_point_key=row.key)
            local_list = await q.get_local_list(charge_point_key=row.key)
        return ChargePointDetail(
            **{field.name: getattr(point, field.name) for field in fields(ChargePoint)},
            reports=reports,
            local_list_version=None if local_list is None else local_list.version,
        )

    async def names(self, charge_point_ids: Iterable[str]) -> Mapping[str, str]:
        """The display names of those that have one, by identity."""
        async with self._pool.reader() as q:
            rows = await q.get_charge_points(identities=sorted(set(charge_point_ids)))
        return {row.identity: row.display_name for row in rows if row.display_name}

    async def choice(self, most: int) -> Mapping[str, str] | None:
        """What each is called, by identity, for who chooses among them; None where there are more than so many."""
        async with self._pool.reader() as q:
            identities = await q.list_identities(after="", page_size=most + 1)
        if len(identities) > most:
            return None
        names = await self.names(identities)
        return {identity: names.get(identity, identity) for identity in identities}

    async def is_known(self, charge_point_id: str) -> bool:
        """Whether the database knows it."""
        async with self._pool.reader() as q:
            return await q.get_charge_point(identity=charge_point_id) is not None

    async def running_transaction(
        self, charge_point_id: str, connector_id: int, evse_id: int = NO_EVSE
    ) -> TransactionIds | None:
        """The ids of the transaction that runs on a connector; connector 0 of an EVSE is any of its."""
        point = await self.find(charge_point_id)
        is_evse = evse_id != NO_EVSE and connector_id == CHARGE_POINT
        for connector in () if point is None else point.connectors:
            is_meant = connector.evse_id == evse_id and (is_evse or connector.connector_id == connector_id)
            if is_meant and connector.transaction_id is not None:
                return TransactionIds(connector.transaction_id, connector.ocpp_transaction_id)
        return None

    async def ids_of(self, transaction_id: int) -> TransactionIds | None:
        """Both ids of a transaction, by ours; None where there is no such transaction."""
        async with self._pool.reader() as q:
            record = await q.get_transaction(transaction_id=transaction_id)
        return None if record is None else TransactionIds(transaction_id, record.ocpp_transaction_id)

    async def known_keys(self, charge_point_id: str) -> Sequence[str]:
        """The keys of the variables that a charge point has told of (mcpp.domain.variables)."""
        async with self._pool.reader() as q:
            row = await q.get_charge_point(identity=charge_point_id)
            return [] if row is None else await q.list_variable_keys(charge_point_key=row.key)

    async def _find_ids(self, q: Readers, query: ChargePointQuery, after: str, wanted: int) -> list[str]:
        """Those behind `after` that the filters let through, so many where there are."""
        step = wanted if query.connected is None else _IDS_AT_ONCE
        found: list[str] = []
        while len(found) < wanted:
            if query.vendor is None:
                ids = await q.list_identities(after=after, page_size=step)
            else:
                ids = await q.list_identities_by_vendor(vendor=query.vendor, after=after, page_size=step)
            found += [i for i in ids if query.connected in {None, self._live.connected(i)}]
            if len(ids) < step:
                break
            after = ids[-1]
        return found[:wanted]

    async def _join_one(self, q: Readers, row: models.ChargePoint) -> ChargePoint:
        (point,) = await self._join(q, [row], await _reservations_of(q, row.identity, self._readings.now()))
        return point

    async def _join(
        self,
        q: Readers,
        rows: Sequence[models.ChargePoint],
        reservations: Sequence[models.ReservationRecord],
    ) -> list[ChargePoint]:
        ids = {row.key: row.identity for row in rows}
        came = {row.key for row in rows if row.last_connect_at is not None}
        reserved_for = {(r.charge_point_id, r.evse_id, r.connector_id): r.id_tag for r in reservations}
        connectors: dict[int, list[Connector]] = {key: [] for key in ids}
        found = await q.list_connectors(charge_point_keys=list(ids))
        now = self._readings.now()
        for connector in found:
            identity = ids[connector.charge_point_key]
            numbers = connector.evse_id, connector.connector_id
            holder = reserved_for.get((identity, *numbers)) or reserved_for.get((identity, *evse_as_a_whole(numbers)))
            values = self._values(identity, connector.connector_id, connector.evse_id, now)
            state = shown_state(
                connected=self._live.connected(identity),
                has_connected=connector.charge_point_key in came,
                status=connector.status,
                has_transaction=connector.transaction_id is not None,
                is_reserved=holder is not None,
            )
            so_far = self._energy_so_far(identity, connector)
            connectors[connector.charge_point_key].append(_connector(connector, state, holder, values, so_far))
        return [self._charge_point(row, connectors[row.key]) for row in rows]

    def _values(self, identity: str, connector_id: int, evse_id: int, now: datetime) -> LiveValues:
        # The registry knows first that a connection has ended.
        live = self._readings.connector(identity, connector_id, evse_id) if self._live.connected(identity) else None
        return (live and live.values(now)) or NO_VALUES

    def _energy_so_far(self, identity: str, connector: models.ListConnectorsRow) -> int | None:
        live = self._readings.connector(identity, connector.connector_id, connector.evse_id)
        # What just began or ended is known here a moment later than there.
        return None if live is None or live.transaction_id != connector.transaction_id else live.energy_wh

    def _charge_point(self, row: models.ChargePoint, connectors: Sequence[Connector]) -> ChargePoint:
        fresher = self._stamps.waiting(row.key)
        running = {it.transaction_id: it.energy_wh or 0 for it in connectors if it.transaction_id is not None}
        return ChargePoint(
            charge_point_id=row.identity,
            connected=self._live.connected(row.identity),
            accepted=row.boot_accepted_at is not None,
            ocpp_version=row.ocpp_version,
            ocpp_versions=read_versions(row.ocpp_versions),
            display_name=row.display_name,
            rated_power_w=row.rated_power_w,
            vendor=row.vendor,
            model=row.model,
            serial_number=row.serial_number,
            security_profile=row.security_profile,
            highest_profile=row.highest_profile,
            used_profile=self._live.profile_of(row.identity),
            certificate_serial=row.certificate_serial,
            firmware_version=row.firmware_version,
            energy_wh=EnergyTotal(row.energy_wh, row.energy_peak_wh, running).told_wh,
            auto_start=row.auto_start,
            connectors=connectors,
            last_connect_at=row.last_connect_at,
            last_disconnect_at=row.last_disconnect_at,
            last_boot_at=row.last_boot_at,
            last_heartbeat_at=fresher.heartbeat_at or row.last_heartbeat_at,
            last_status_at=row.last_status_at,
            last_meter_values_at=fresher.meter_values_at or row.last_meter_values_at,
            last_tx_start_at=row.last_tx_start_at,
            last_tx_stop_at=row.last_tx_stop_at,
            last_error_at=row.last_error_at,
        )


async def _reservations_of(q: Readers, charge_point_id: str, now: datetime) -> list[models.ReservationRecord]:
    """Those that hold a connector of this charge point now."""
    return await q.list_reservations_of_charge_point_by_status(
        charge_point_id=charge_point_id,
        status=ReservationState.ACCEPTED,
        expires_after=now,
        before_id=NEWEST_ID,
        page_size=_RESERVATIONS,
    )


async def _reservations(q: Readers, now: datetime) -> list[models.ReservationRecord]:
    """Those that hold a connector now."""
    return await q.list_reservations_by_status(
        status=ReservationState.ACCEPTED,
        expires_after=now,
        before_id=NEWEST_ID,
        page_size=_RESERVATIONS,
    )


def _size_of(point: ChargePoint) -> int:
    """About the bytes of one in an answer."""
    texts = (point.charge_point_id, point.display_name, point.vendor, point.model, point.serial_number)
    return _POINT_BYTES + _length(*texts, point.firmware_version) + sum(map(_size_of_connector, point.connectors))


def _size_of_connector(connector: Connector) -> int:
    return _CONNECTOR_BYTES + _length(connector.status, connector.error_code, connector.reserved_for)


def _length(*texts: str | None) -> int:
    return sum([len(text) for text in texts if text])


def _by_phase(values: ByPhase | None) -> Mapping[str, float] | None:
    if values is None:
        return None
    return {_TOTAL if phase == WHOLE else phase: round(value, 3) for phase, value in values.items()}


def _connector(
    row: models.ListConnectorsRow,
    state: ShownState,
    reserved_for: str | None,
    live: LiveValues,
    energy_wh: int | None,
) -> Connector:
    return Connector(
        state=state,
        connector_id=row.connector_id,
        evse_id=row.evse_id,
        status=row.status,
        reported_status=row.reported_status,
        error_code=row.error_code,
        status_at=row.status_at,
        transaction_id=row.transaction_id,
        ocpp_transaction_id=row.ocpp_transaction_id,
        transaction_started_at=row.transaction_started_at,
        energy_wh=energy_wh,
        awaits_token=row.ocpp_transaction_id is not None and row.transaction_id_tag == "",
        power_w=live.power_w,
        current_a=_by_phase(live.current_a),
        voltage_v=_by_phase(live.voltage_v),
        soc_percent=live.soc_percent,
        measured_at=live.measured_at,
        status_began_at=row.status_began_at,
        ordered_availability=row.ordered_availability,
        inoperative=row.ordered_availability is Availability.INOPERATIVE,
        reserved_for=reserved_for,
        session_correlation_id=row.session_correlation_id,
    )
