"""What API and plugins need of charge points that are connected now; the transport's registry provides it."""

from __future__ import annotations

from typing import Protocol

from mcpp.ocppj.actions import Action, Req, Res


class LiveChargePoints(Protocol):
    """The charge points with a connection, by identity."""

    def connected(self, identity: str) -> bool:
        """Whether the charge point has a connection now."""
        ...

    async def call(
        self, identity: str, action: Action[Req, Res], request: Req, *, correlation_id: str | None = None
    ) -> Res:
        """Send a CALL and wait for its response.

        Raises NotConnected, QueueFull, CallRefused, CallTimeout, ConnectionLost or InvalidAnswer.
        """
        ...
