"""Who may connect, and who is connected: the transport's questions answered from the books."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus

from mcpp.domain import charge_points
from mcpp.domain.events import ChargePointConnected, ChargePointDisconnected, Event
from mcpp.ocppj.flow import Peer, new_correlation_id
from mcpp.storage.writer import Writer, WriterClosed
from mcpp.transport.admission import Admitted, ConnectRequest, Refused
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.outcomes import Outcome
from mcpp_generated.db.queries import Queries


class Presence:
    """Admits charge points and keeps the books on their coming and going."""

    def __init__(
        self, writer: Writer[Queries], publish: Callable[[Iterable[Event]], None], *, register_unknown: bool
    ) -> None:
        self._writer = writer
        self._publish = publish
        self._register_unknown = register_unknown

    async def admit(self, request: ConnectRequest) -> Admitted | Refused:
        """Admit a known charge point; register an unknown one where registration is open."""
        key = await self._writer.submit(
            charge_points.connect,
            request.identity,
            request.ocpp_version,
            datetime.now(UTC),
            register_unknown=self._register_unknown,
        )
        if key is None:
            return Refused(HTTPStatus.NOT_FOUND, "this charge point is not registered", Outcome.UNKNOWN_CHARGE_POINT)
        return Admitted(Peer(key, request.identity))

    def connected(self, charge_point: LiveChargePoint) -> None:
        """Tell of a connection; `admit` has booked it."""
        event = ChargePointConnected(
            charge_point_id=charge_point.identity,
            correlation_id=new_correlation_id(),
            at=datetime.now(UTC),
            ocpp_version=charge_point.ocpp_version,
            remote_address=charge_point.remote,
        )
        self._publish((event,))

    def disconnected(self, charge_point: LiveChargePoint) -> None:
        """Book the end of a charge point's only connection, and tell of it."""
        now = datetime.now(UTC)
        try:
            self._writer.submit(charge_points.disconnect, charge_point.peer.key, now)
        except WriterClosed:
            return
        event = ChargePointDisconnected(
            charge_point_id=charge_point.identity, correlation_id=new_correlation_id(), at=now
        )
        self._publish((event,))
