"""A CALL of ours: its caller's future, and the way from the answer to the typed response."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeAlias

from pydantic import BaseModel

from mcpp.csms.dialect import Dialect
from mcpp.csms.offers import Offer
from mcpp.ocppj.actions import Res
from mcpp.ocppj.errors import CallRefused, InvalidAnswer
from mcpp.ocppj.flow import Flow
from mcpp.ocppj.frames import CallError, CallResult
from mcpp.storage.pending import WriterClosed

Finished: TypeAlias = Callable[[Flow, BaseModel | Exception], None]
"""Called for every CALL of ours that is over, with its response or why there is none; must not block and not raise."""


class Command(Protocol):
    """A CALL of ours that isn't over, whatever its types."""

    @property
    def flow(self) -> Flow: ...
    @property
    def not_understood(self) -> InvalidAnswer | None: ...
    def answered(self, answer: CallResult | CallError) -> Awaitable[None] | None: ...
    def failed(self, error: Exception) -> None: ...
    def answered_late(self, answer: CallResult | CallError) -> Awaitable[None] | None: ...


class TypedCommand(Generic[Res]):
    """A CALL of ours, its caller's future and the way from answer to response."""

    __slots__ = ("_dialect", "_finished", "_offer", "_request", "_response", "flow", "future", "not_understood")

    def __init__(
        self,
        flow: Flow,
        dialect: Dialect,
        request: BaseModel,
        response: type[Res],
        future: asyncio.Future[Res],
        finished: Finished,
        offer: Offer | None = None,
    ) -> None:
        self.flow = flow
        self.future = future
        self.not_understood: InvalidAnswer | None = None
        """Why the CALLRESULT that came is none of its action's."""
        self._dialect = dialect
        self._finished = finished
        self._offer = offer
        self._request = request
        self._response = response

    def answered(self, answer: CallResult | CallError) -> Awaitable[None] | None:
        """Resolve the caller's future; where the answer means something, once the awaitable returned is through."""
        try:
            if isinstance(answer, CallError):
                raise CallRefused(answer.code, answer.description, json.loads(answer.details))
            response = self._dialect.decode_response(self.flow, self._response, answer.payload)
            applied = self._dialect.answered(self.flow, self._request, response, self._offer)
        except Exception as error:  # noqa: BLE001 - the caller gets an outcome, whatever it is
            if isinstance(error, InvalidAnswer):
                # Without its traceback, whose frames would hold it in a circle.
                self.not_understood = InvalidAnswer(str(error), error.code)
            self.failed(error)
            return None
        if applied is not None:
            return self._apply(applied, response)
        self._succeed(response)
        return None

    def failed(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)
        # Or future, error, its traceback's frames and this command would hold each other.
        del self.future
        self._finished(self.flow, error)

    def answered_late(self, answer: CallResult | CallError) -> Awaitable[None] | None:
        """The answer came after its time: the caller was told of none, but what it means counts."""
        if isinstance(answer, CallError):
            return None
        try:
            response = self._dialect.decode_response(self.flow, self._response, answer.payload)
            return self._dialect.answered(self.flow, self._request, response, self._offer)
        except (InvalidAnswer, WriterClosed):
            return None

    def _succeed(self, response: Res) -> None:
        # The caller may have been cancelled meanwhile.
        if not self.future.done():
            self.future.set_result(response)
        self._finished(self.flow, response)

    async def _apply(self, applied: Awaitable[None], response: Res) -> None:
        """The charge point did what was asked, so its answer counts even if what it means could not be stored."""
        try:
            await applied
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets the answer
            self.future.get_loop().call_exception_handler(
                {"message": f"what the answer to {self.flow.action} means was not stored", "exception": error}
            )
        self._succeed(response)
