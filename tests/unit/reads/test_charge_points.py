"""A charge point looks the same however it is asked for: the database joined with what is live."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from mcpp import bounds
from mcpp.csms.live import Exchange
from mcpp.domain.charge_points import Boot, boot, delete_charge_point, report
from mcpp.domain.connectors import ReportStatus, order_availability, report_status
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OperatorOccasion
from mcpp.domain.reservations import Reserve, record
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.domain.stamps import StampBook, Stamps, write_stamps
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.reads.charge_points import ChargePoint, ChargePointQuery, ChargePoints, Connector
from mcpp.reads.live import LiveReadings
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp_generated.db.enums import Availability, ReportKind
from tests.database import Database, minute

LATER = datetime.now(UTC) + timedelta(hours=1)
EARLIER = datetime.now(UTC) - timedelta(seconds=1)


class Live:
    """Which charge points are connected: those of a set."""

    def __init__(self, *charge_point_ids: str) -> None:
        self.charge_point_ids = set(charge_point_ids)

    def connected(self, identity: str) -> bool:
        return identity in self.charge_point_ids

    def profile_of(self, identity: str) -> SecurityProfile | None:
        return SecurityProfile.NONE if self.connected(identity) else None

    def version_of(self, identity: str) -> str | None:
        raise NotImplementedError

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        raise NotImplementedError

    async def send(self, identity: str, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        raise NotImplementedError


@pytest.fixture
def live() -> Live:
    return Live("CP-1")


@pytest.fixture
def stamps() -> StampBook:
    return StampBook()


@pytest.fixture
def readings() -> LiveReadings:
    return LiveReadings()


@pytest.fixture
def charge_points(pool: SqliteReaderPool, live: Live, stamps: StampBook, readings: LiveReadings) -> ChargePoints:
    return ChargePoints(pool, live, stamps, readings)


def reserve(fleet: Database, occasion: Occasion, connector_id: int, id_tag: str, until: datetime) -> None:
    record(fleet.q, occasion, Reserve(connector_id, connector_id, id_tag, None, until))


async def find(charge_points: ChargePoints, charge_point_id: str = "CP-1") -> ChargePoint:
    point = await charge_points.find(charge_point_id)
    assert point is not None
    return point


async def test_it_looks_the_same_however_it_is_asked_for(
    fleet: Database, charge_points: ChargePoints, stamps: StampBook
) -> None:
    occasion = fleet.charge_point()
    boot(fleet.q, occasion, Boot("Acme", "M3", "SN-1", None, "1.2", None, None, None, None))
    status = ReportStatus(1, ConnectorStatus.PREPARING, NO_ERROR, None, None, None, minute(1))
    report_status(fleet.q, occasion, status, Memory())
    order_availability(fleet.q, occasion, 2, Availability.INOPERATIVE)
    reserve(fleet, occasion, 1, "TAG", LATER)
    report(fleet.q, occasion, ReportKind.DIAGNOSTICS, "Uploaded")
    stamps.heartbeat_at[occasion.charge_point_key] = minute(5)
    fleet.charge_point("CP-2")

    point = await find(charge_points)
    detail = await charge_points.find_detail("CP-1")

    assert (point.charge_point_id, point.connected, point.accepted, point.vendor) == ("CP-1", True, True, "Acme")
    first, second = (await charge_points.list_page(ChargePointQuery())).items
    assert first == point
    assert await charge_points.list_all() == [first, second]
    assert detail is not None
    assert asdict(point).items() <= asdict(detail).items()
    assert [(made.kind, made.status) for made in detail.reports] == [(ReportKind.DIAGNOSTICS, "Uploaded")]
    assert [(order.connector_id, order.availability) for order in detail.ordered_availability] == [
        (2, Availability.INOPERATIVE)
    ]
    assert (second.charge_point_id, second.connected, second.accepted) == ("CP-2", False, False)


async def test_all_at_once_are_no_more_than_fits(
    fleet: Database, charge_points: ChargePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        fleet.charge_point(f"CP-{number}")
    monkeypatch.setattr(bounds, "ALL_CHARGE_POINTS", 2000)

    assert [point.charge_point_id for point in await charge_points.list_all()] == ["CP-0", "CP-1"]


async def test_a_stamp_that_waits_to_be_written_is_shown(
    fleet: Database, charge_points: ChargePoints, stamps: StampBook
) -> None:
    key = fleet.charge_point().charge_point_key
    write_stamps(fleet.q, {key: Stamps(minute(1), minute(2))})
    stamps.heartbeat_at[key] = minute(3)

    point = await find(charge_points)

    assert (point.last_heartbeat_at, point.last_meter_values_at) == (minute(3), minute(2))


async def test_whom_a_connector_is_reserved_for(fleet: Database, charge_points: ChargePoints) -> None:
    reserve(fleet, fleet.charge_point("CP-1"), 1, "ANNA", LATER)
    reserve(fleet, fleet.charge_point("CP-1"), 2, "BERT", EARLIER)
    reserve(fleet, fleet.charge_point("CP-2"), 2, "CARL", LATER)

    for points in (await charge_points.list_all(), (await charge_points.list_page(ChargePointQuery())).items):
        held = {(p.charge_point_id, c.connector_id): c.reserved_for for p in points for c in p.connectors}
        assert held == {("CP-1", 1): "ANNA", ("CP-1", 2): None, ("CP-2", 2): "CARL"}


@pytest.mark.parametrize(
    ("ordered", "inoperative"),
    [(None, False), (Availability.OPERATIVE, False), (Availability.INOPERATIVE, True)],
)
async def test_what_a_connector_was_ordered_to_be(
    fleet: Database, charge_points: ChargePoints, ordered: Availability | None, inoperative: bool
) -> None:
    occasion = fleet.charge_point()
    status = ReportStatus(1, ConnectorStatus.AVAILABLE, NO_ERROR, None, None, None, minute(1))
    report_status(fleet.q, occasion, status, Memory())
    if ordered is not None:
        order_availability(fleet.q, occasion, 1, ordered)

    (connector,) = (await find(charge_points)).connectors

    assert isinstance(connector, Connector)
    assert (connector.ordered_availability, connector.inoperative) == (ordered, inoperative)


async def test_the_connectors_of_evses(fleet: Database, charge_points: ChargePoints) -> None:
    """A charger that spoke 1.6 and speaks 2.0.1 now: its old connectors stay in the books alone."""
    occasion = fleet.charge_point()
    running = fleet.start(connector_id=1)
    fleet.move_to_evse(running, 1, "ab-12")
    status = ReportStatus(
        1, ConnectorStatus.CHARGING, NO_ERROR, None, None, None, minute(1), evse_id=2, reported_status="Occupied"
    )
    report_status(fleet.q, occasion, status, Memory())
    record(fleet.q, occasion, Reserve(5, 0, "ANNA", None, LATER, evse_id=2))
    order_availability(fleet.q, occasion, 0, Availability.INOPERATIVE, evse_id=2)

    first, second = (await find(charge_points)).connectors
    assert isinstance(first, Connector)
    assert isinstance(second, Connector)
    assert (first.evse_id, first.connector_id, first.transaction_id) == (1, 1, running)
    assert (first.ocpp_transaction_id, first.reserved_for) == ("ab-12", None)
    assert (second.evse_id, second.connector_id, second.status, second.reported_status) == (
        2,
        1,
        "Charging",
        "Occupied",
    )
    assert (second.reserved_for, second.inoperative) == ("ANNA", True)
    assert await charge_points.running_transaction("CP-1", 0, 1) == (running, "ab-12")
    assert await charge_points.running_transaction("CP-1", 1, 2) is None
    assert await charge_points.running_transaction("CP-1", 1) is None


async def test_the_transaction_that_runs_on_a_connector(fleet: Database, charge_points: ChargePoints) -> None:
    ended, running = fleet.start(connector_id=1), fleet.start(connector_id=2)
    fleet.stop(ended, at=minute(9))

    assert await charge_points.running_transaction("CP-1", 2) == (running, None)
    for charge_point_id, connector_id in (("CP-1", 1), ("CP-1", 3), ("CP-9", 2)):
        assert await charge_points.running_transaction(charge_point_id, connector_id) is None


async def test_one_that_is_unknown(charge_points: ChargePoints) -> None:
    assert not await charge_points.is_known("CP-1")
    assert await charge_points.find("CP-1") is None
    assert await charge_points.find_detail("CP-1") is None
    assert await charge_points.list_all() == []


async def test_one_that_is_forgotten_while_its_page_is_read_does_not_end_the_list(
    fleet: Database, pool: SqliteReaderPool, stamps: StampBook
) -> None:
    for number in range(4):
        fleet.charge_point(f"CP-{number}")

    class Forgetting(Live):
        def connected(self, identity: str) -> bool:
            delete_charge_point(fleet.q, OperatorOccasion("a" * 32, minute(1)), "CP-1", purge=True)
            return False

    page = await ChargePoints(pool, Forgetting(), stamps, LiveReadings()).list_page(ChargePointQuery(limit=2))
    rest = await ChargePoints(pool, Live(), stamps, LiveReadings()).list_page(
        ChargePointQuery(limit=2, cursor=page.next_cursor)
    )

    assert page.next_cursor is not None
    assert [point.charge_point_id for point in (*page.items, *rest.items)] == ["CP-0", "CP-2", "CP-3"]
