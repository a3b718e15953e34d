"""Which CALLs of a central system a virtual charging station answers, and by what."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from mcpp.ocppj.actions import Action, Req, Res, encode
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.frames import Call
from mcpp.simulator.charge_point import Reply

R = TypeVar("R", bound=BaseModel)

Job: TypeAlias = Callable[[], Coroutine[None, None, None]]


class Then(NamedTuple, Generic[R]):
    """A response, and what is done once it has gone out."""

    response: R
    job: Job


class Desk:
    """Knows one function for each action, typed by it."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[bytes], Reply]] = {}
        self.asked: list[Call] = []
        """All that was asked so far."""

    def add(self, action: Action[Req, Res], handler: Callable[[Req], Res | Then[Res]]) -> None:
        """Have an action answered; a later handler takes the place of the one before."""

        def answer(payload: bytes) -> Reply:
            try:
                request = action.decode_request(payload)
            except ValidationError as error:
                raise CallFault(ErrorCode.FORMAT_VIOLATION, f"{action.name}: {error.errors()[0]['msg']}") from error
            answered = handler(request)
            if isinstance(answered, Then):
                return Reply(encode(answered.response), answered.job)
            return Reply(encode(answered))

        self._handlers[action.name] = answer

    def answer(self, call: Call) -> Reply:
        """Raises CallFault."""
        self.asked.append(call)
        handler = self._handlers.get(call.action)
        if handler is None:
            raise CallFault(ErrorCode.NOT_SUPPORTED, f"this virtual charging station does not do {call.action}")
        return handler(call.payload)
