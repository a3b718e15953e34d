"""What becomes of a CALL whose handling fails in the database's thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.csms.services import Services
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.memory import Memory
from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Direction, Flow, Peer
from mcpp.ocppj.frames import Call
from mcpp.server.events import Events
from mcpp.storage.pending import Pending
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries
from mcpp_generated.ocpp16.actions import HEARTBEAT
from mcpp_generated.ocpp16.models import HeartbeatRequest, HeartbeatResponse

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    memory = Memory()
    writer = Writer(connection, SqliteQueries(connection), memory=memory)
    yield Services(writer, lambda _: None, Events().wanted, AuthorizationPolicy(), 300, memory, now=lambda: NOW)
    await writer.close()


def _ask_for_a_large_number(q: Queries) -> HeartbeatResponse:
    q.find_reservation_of_transaction(transaction_id=2**64)
    return HeartbeatResponse(current_time=NOW)


def _reckon_with_the_last_day(_: Queries) -> HeartbeatResponse:
    return HeartbeatResponse(current_time=datetime.max.replace(tzinfo=UTC) + timedelta(days=1))


async def _failure(services: Services, work: Callable[[Queries], HeartbeatResponse]) -> Exception:
    def heartbeat(context: CallContext, _: HeartbeatRequest) -> Pending[HeartbeatResponse]:
        return context.read(work)

    router = CallRouter(services, {HEARTBEAT.name: HEARTBEAT}, REPAIRS, lambda _: None)
    router.add(HEARTBEAT, heartbeat)
    flow = Flow(Peer(1, "CP-1"), Direction.IN, "Heartbeat", "1", "c" * 32, 0.0)
    answer = router.dispatch(flow, Call("1", "Heartbeat", b"{}"))
    assert isinstance(answer, Pending)
    with pytest.raises((CallFault, OverflowError)) as raised:
        await answer
    return raised.value


async def test_a_number_that_the_database_has_no_room_for_is_the_chargers_fault(services: Services) -> None:
    error = await _failure(services, _ask_for_a_large_number)

    assert isinstance(error, CallFault)
    assert error.code is ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


async def test_any_other_overflow_is_a_fault_of_the_servers(services: Services) -> None:
    """It reaches the log as what it is."""
    assert isinstance(await _failure(services, _reckon_with_the_last_day), OverflowError)
