"""An OCPP version as the transport, which knows none, sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Protocol

from pydantic import BaseModel, JsonValue

from mcpp.csms.calls import Answer
from mcpp.csms.offers import Offer
from mcpp.ocppj.actions import AnyAction, Res
from mcpp.ocppj.errors import ErrorCode
from mcpp.ocppj.flow import Flow, Peer, Subject
from mcpp.ocppj.frames import Call, Framing, Send


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
    def is_loaded(self) -> bool:
        """Whether it can be spoken at once; else `load` comes first."""
        ...

    def load(self) -> None:
        """Import what it needs: up to 0.3 s of CPU, so on another thread."""
        ...

    @property
    def framing(self) -> Framing:
        """What its frames have beyond those of others."""
        ...

    @property
    def actions(self) -> Mapping[str, AnyAction]:
        """Every action of the version by its name."""
        ...

    def handle(self, flow: Flow, call: Call | Send, /) -> Answer:
        """Handle an incoming CALL or SEND; returns the response payload as JSON, at once where nothing waits.

        Raises CallFault for what is answered by a CALLERROR, Unanswerable for what must stay unanswered.
        """
        ...

    async def prepare(self, action: AnyAction, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """A command's payload with its rewrites; the same object where it has none.

        Raises InvalidPayload for a reference to what isn't stored.
        """
        ...

    def decode_response(self, flow: Flow, response: type[Res], payload: bytes) -> Res:
        """The typed response to a CALL of ours, repaired where needed; raises InvalidAnswer."""
        ...

    def subject(self, request: BaseModel) -> Subject:
        """What a CALL is about, by its request."""
        ...

    def offer(self, peer: Peer, request: BaseModel) -> Offer | None:
        """The offer of a password that a CALL of ours is: to be kept before it goes out; None for nearly all."""
        ...

    def answered(
        self, flow: Flow, request: BaseModel, response: BaseModel, offer: Offer | None = None
    ) -> Awaitable[None] | None:
        """Apply what the answer to a CALL of ours means, late or not; None where it means nothing.

        CALLs that follow are noted on the flow, by the time that the awaitable is through.
        """
        ...

    def spell(self, code: ErrorCode) -> str:
        """The code as this version writes it in a CALLERROR."""
        ...
