"""What API and plugins need of charge points that are connected now; the transport's registry provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol

from pydantic import BaseModel

from mcpp.domain.security_profiles import SecurityProfile
from mcpp.ocppj.actions import Action, AnyAction, Req, Res


@dataclass(frozen=True, slots=True)
class Exchange(Generic[Res]):
    """A CALL of ours and the response to it."""

    action: str
    message_id: str
    correlation_id: str
    response: Res
    duration_ms: float
    """From the command to its response, the wait for those before it included."""


class LiveChargePoints(Protocol):
    """The charge points with a connection, by identity."""

    def connected(self, identity: str) -> bool:
        """Whether the charge point has a connection now."""
        ...

    def version_of(self, identity: str) -> str | None:
        """The OCPP version that the charge point's connection speaks; None where it has none."""
        ...

    def profile_of(self, identity: str) -> SecurityProfile | None:
        """The security profile that the charge point's connection uses; None where it has none."""
        ...

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        """Send a CALL, as part of what causes it, and wait for its response.

        Raises NotConnected, QueueFull, CallRefused, CallTimeout, ConnectionLost or InvalidAnswer.
        """
        ...

    async def send(self, identity: str, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        """As `call`, for a payload that goes out as it was given; `request` is what it says."""
        ...
