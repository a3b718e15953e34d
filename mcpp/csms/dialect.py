"""What one OCPP version gives to the version-neutral transport."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Protocol

from pydantic import BaseModel, JsonValue

from mcpp.ocppj.actions import AnyAction, Res
from mcpp.ocppj.errors import ErrorCode
from mcpp.ocppj.flow import Flow, Subject
from mcpp.ocppj.frames import Call


class Dialect(Protocol):
    """One OCPP version, as the transport sees it."""

    @property
    def version(self) -> str:
        """As shown to people, such as `1.6`."""
        ...

    @property
    def subprotocol(self) -> str:
        """As negotiated in the WebSocket handshake, such as `ocpp1.6`."""
        ...

    @property
    def actions(self) -> Mapping[str, AnyAction]:
        """Every action of the version by its name."""
        ...

    def handle(self, flow: Flow, call: Call) -> bytes | Awaitable[bytes]:
        """Handle an incoming CALL; gives the response payload as JSON, at once where nothing waits.

        Raises CallFault for what is answered by a CALLERROR, Unanswerable for what must stay unanswered.
        """
        ...

    async def prepare(self, action: str, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """A command's payload with its references resolved; the same object where it has none.

        Raises InvalidPayload for a reference to what isn't stored.
        """
        ...

    def decode_response(self, flow: Flow, response: type[Res], payload: bytes) -> Res:
        """The typed response to a CALL of ours, repaired where needed; raises InvalidAnswer."""
        ...

    def subject(self, request: BaseModel) -> Subject:
        """What a CALL is about, by its request."""
        ...

    def learn(self, flow: Flow, request: BaseModel, response: BaseModel) -> Awaitable[None] | None:
        """Bring into the books what an answered CALL of ours means; None where it means nothing to them."""
        ...

    def spell(self, code: ErrorCode) -> str:
        """The code as this version writes it in a CALLERROR."""
        ...
