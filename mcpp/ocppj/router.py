"""From an action's name to its typed handler, and back to JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Flow
from mcpp.ocppj.frames import Call

Ctx = TypeVar("Ctx")
_Ctx = TypeVar("_Ctx", contravariant=True)

Handler: TypeAlias = Callable[[Ctx, Req], Res | Awaitable[Res]]
"""Value in, value out. A handler that waits for nothing is a plain function and costs no task switch."""


class _Route(Protocol[_Ctx]):
    """A handler with its action's types wrapped up: JSON in, JSON out."""

    def __call__(self, context: _Ctx, flow: Flow, payload: bytes, /) -> bytes | Awaitable[bytes]: ...


class RequestDecoder(Protocol):
    """Makes a typed request of a payload; raises CallFault for what can't be repaired."""

    def __call__(self, flow: Flow, action: Action[Req, Res], payload: bytes, /) -> Req: ...


class Router(Generic[Ctx]):
    """The handlers of one OCPP version's incoming CALLs."""

    def __init__(self, actions: Mapping[str, AnyAction], decode: RequestDecoder) -> None:
        self._actions = actions
        self._decode = decode
        self._routes: dict[str, _Route[Ctx]] = {}

    @property
    def handled(self) -> frozenset[str]:
        """The names of the actions that have a handler."""
        return frozenset(self._routes)

    def add(self, action: Action[Req, Res], handler: Handler[Ctx, Req, Res]) -> None:
        """Handle an action's CALLs with `handler`; one handler per action."""
        if action.name in self._routes:
            raise ValueError(f"{action.name} has a handler already")
        decode = self._decode

        def route(context: Ctx, flow: Flow, payload: bytes) -> bytes | Awaitable[bytes]:
            answer = handler(context, decode(flow, action, payload))
            if isinstance(answer, BaseModel):
                return action.encode_response(answer)
            return _encode_later(action, answer)

        self._routes[action.name] = route

    def dispatch(self, context: Ctx, flow: Flow, call: Call) -> bytes | Awaitable[bytes]:
        """Handle a CALL; raises CallFault where the action is unknown or not for this side (OCPP-J 1.6 §4.2.3)."""
        route = self._routes.get(call.action)
        if route is not None:
            return route(context, flow, call.payload)
        if call.action in self._actions:
            raise CallFault(ErrorCode.NOT_SUPPORTED, f"{call.action} is not handled here")
        raise CallFault(ErrorCode.NOT_IMPLEMENTED, f"unknown action {call.action[:50]}")


async def _encode_later(action: Action[Req, Res], answer: Awaitable[Res]) -> bytes:
    return action.encode_response(await answer)
