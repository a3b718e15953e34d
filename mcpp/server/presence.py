"""Who may connect, and who is connected: the transport's questions answered from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus

from mcpp.domain import charge_points
from mcpp.domain.events import ChargePointConnected, ChargePointDisconnected, Event
from mcpp.ocppj.flow import Peer, new_correlation_id
from mcpp.server.passwords import Passwords
from mcpp.storage.writer import Writer, WriterClosed
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.transport.admission import AdmissionRefused, Admitted, ConnectRequest
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.outcomes import ConnectionOutcome
from mcpp_generated.db.queries import Queries


class Presence:
    """Admits charge points and records when they connect and disconnect."""

    def __init__(
        self,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        *,
        register_unknown: bool,
        passwords: Passwords,
        now: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._passwords = passwords
        self._now = now
        self._publish = publish
        self._register_unknown = register_unknown

    async def admit(self, request: ConnectRequest) -> Admitted | AdmissionRefused:
        """Admit a known charge point that has shown its password, if it has one (OCPP-J 1.6 §6.2).

        An unknown one is registered where registration is open; identities are compared with regard to letter case, and
        one that differs from a known one in nothing else isn't registered, or refused, without a word.
        """
        proven_hash: str | None = None
        while True:
            found = await self._writer.submit(
                charge_points.connect,
                request.identity,
                request.ocpp_version,
                self._now(),
                register_unknown=self._register_unknown,
                proven_hash=proven_hash,
            )
            if isinstance(found, charge_points.NotRegistered):
                return AdmissionRefused(
                    HTTPStatus.NOT_FOUND, _not_registered(found), ConnectionOutcome.UNKNOWN_CHARGE_POINT
                )
            if isinstance(found, charge_points.Connected):
                if found.in_other_case is not None:
                    get_logger().warning(
                        "identity_in_other_case",
                        category="system",
                        charge_point_id=request.identity,
                        known_as=found.in_other_case,
                        remote_address=request.remote,
                    )
                return Admitted(Peer(found.key, request.identity), found.epoch)
            # Once more after a proof: the password may have been changed meanwhile.
            proven_hash = found.password_hash
            refusal = await self._refusal(request, proven_hash)
            if refusal is not None:
                return AdmissionRefused(HTTPStatus.UNAUTHORIZED, refusal, ConnectionOutcome.UNAUTHORIZED)

    async def chargers_authenticated(self) -> bool:
        """Whether nobody connects without a password."""
        return await self._writer.submit(charge_points.all_authenticated, register_unknown=self._register_unknown)

    async def _refusal(self, request: ConnectRequest, password_hash: str) -> str | None:
        """Why these credentials don't do."""
        if request.password is None:
            return "this charge point must send its password by HTTP basic authentication"
        if request.user != request.identity:
            return "the user of the HTTP basic authentication must be the charge point's identity"
        if not await self._passwords.check(request.identity, request.remote, password_hash, request.password):
            return "the password is wrong"
        return None

    def connected(self, charge_point: LiveChargePoint) -> None:
        """Publish a connection; `admit` has stored it."""
        event = ChargePointConnected(
            charge_point_id=charge_point.identity,
            correlation_id=new_correlation_id(),
            at=self._now(),
            ocpp_version=charge_point.ocpp_version,
            remote_address=charge_point.remote,
        )
        self._publish((event,))

    def disconnected(self, charge_point: LiveChargePoint) -> None:
        """Record the end of a charge point's only connection and publish it, unless a newer one has begun elsewhere."""
        now = self._now()
        connected = charge_points.Connected(charge_point.peer.key, charge_point.epoch)
        event = ChargePointDisconnected(
            charge_point_id=charge_point.identity, correlation_id=new_correlation_id(), at=now
        )
        with suppress(WriterClosed):
            ended = self._writer.submit_about(connected.key, charge_points.disconnect, connected, now)
            ended.then(lambda is_newest: self._publish((event,)) if is_newest else None)


def _not_registered(unknown: charge_points.NotRegistered) -> str:
    text = "this charge point is not registered"
    if unknown.in_other_case is not None:
        text += f"; known as {unknown.in_other_case}, in another letter case"
    return text
