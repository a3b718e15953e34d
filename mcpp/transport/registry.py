"""The charge points that are connected now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import BaseModel
from websockets.frames import CloseCode

from mcpp.csms.live import Exchange
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.ocppj.errors import NotConnected
from mcpp.ocppj.flow import Flow
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.command import Finished


def _ignored(_: Flow, __: BaseModel | Exception) -> None:
    """Ignores finished commands."""


def _not_noted(_: LiveChargePoint, __: LiveChargePoint) -> None:
    """Ignores replaced connections."""


class Registry:
    """Live charge points by identity; the newest connection of an identity is the one that counts."""

    def __init__(
        self,
        *,
        on_connected: Callable[[LiveChargePoint], None],
        on_disconnected: Callable[[LiveChargePoint], None],
        on_replaced: Callable[[LiveChargePoint, LiveChargePoint], None] = _not_noted,
        command_finished: Finished = _ignored,
    ) -> None:
        """All are called on the event loop and must not block; `on_disconnected` not for a replaced connection.

        `on_replaced` gets the connection that stood and the newer one.
        """
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._on_replaced = on_replaced
        self.command_finished = command_finished
        self._by_identity: dict[str, LiveChargePoint] = {}

    def __len__(self) -> int:
        return len(self._by_identity)

    def __iter__(self) -> Iterator[LiveChargePoint]:
        return iter(list(self._by_identity.values()))

    def get(self, identity: str) -> LiveChargePoint | None:
        return self._by_identity.get(identity)

    def connected(self, identity: str) -> bool:
        return identity in self._by_identity

    def version_of(self, identity: str) -> str | None:
        charge_point = self._by_identity.get(identity)
        return None if charge_point is None else charge_point.ocpp_version

    def profile_of(self, identity: str) -> SecurityProfile | None:
        charge_point = self._by_identity.get(identity)
        return None if charge_point is None else charge_point.security_profile

    def add(self, charge_point: LiveChargePoint) -> LiveChargePoint | None:
        """Enter a connection. Returns the one it replaces, which the caller closes."""
        replaced = self._by_identity.get(charge_point.identity)
        self._by_identity[charge_point.identity] = charge_point
        self._on_connected(charge_point)
        if replaced is not None:
            self._on_replaced(replaced, charge_point)
        return replaced

    def discard(self, charge_point: LiveChargePoint) -> None:
        """Remove a connection that has ended, unless a newer one has replaced it."""
        if self._by_identity.get(charge_point.identity) is charge_point:
            del self._by_identity[charge_point.identity]
            self._on_disconnected(charge_point)

    def disconnect(self, identity: str) -> None:
        """Close the connection of a charge point that is to be forgotten, if it has one."""
        self._end(identity, "this charge point is no longer registered", ConnectionOutcome.FORGOTTEN)

    def certificate_revoked(self, identity: str) -> None:
        """Close the connection of a charge point that had a certificate revoked, if it has one."""
        self._end(identity, "a certificate was revoked", ConnectionOutcome.CERTIFICATE_REFUSED)

    def _end(self, identity: str, reason: str, outcome: ConnectionOutcome) -> None:
        charge_point = self._by_identity.get(identity)
        if charge_point is not None:
            charge_point.close(CloseCode.POLICY_VIOLATION, reason, outcome)

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        """Send a CALL to a connected charge point; as LiveChargePoint.call, and raises NotConnected."""
        return await self._connected(identity).call(action, request)

    async def send(self, identity: str, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        """Send a payload as it was given; as LiveChargePoint.send, and raises NotConnected."""
        return await self._connected(identity).send(action, request, payload)

    def _connected(self, identity: str) -> LiveChargePoint:
        charge_point = self._by_identity.get(identity)
        if charge_point is None:
            raise NotConnected(identity)
        return charge_point
