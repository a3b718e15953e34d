"""A unit of the writer's work for who waits for it: its result once it is committed, or why it isn't stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from functools import partial
from time import perf_counter
from typing import Any, Final, Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


class WriteFailed(Exception):
    """The unit is not stored; the cause is the engine's error (disk full, I/O error, locked, a broken constraint)."""


class WriterClosed(WriteFailed):
    """The unit came after the writer had been asked to close, and never ran."""


class Pending(Generic[T]):
    """What a unit of work returns, known once it is committed: awaited, or continued with `then`.

    It also says where the unit's time went, as a step of the flow that it belongs to. Belongs to the event loop.
    """

    __slots__ = (
        "_callback",
        "_committed",
        "_continuations",
        "_error",
        "_loop",
        "_result",
        "args",
        "batch_seconds",
        "batch_size",
        "began",
        "function",
        "keeps",
        "key",
        "seconds",
        "waited",
    )

    name: Final = "database_write"

    def __init__(
        self, loop: asyncio.AbstractEventLoop, function: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        self.function = function
        self.args = args
        self.keeps = False
        """Whether everything remembered holds on after it."""
        self.key: int | None = None
        """Of the charge point that it's about: what is remembered of the others holds on after it."""
        self.began = perf_counter()
        self.seconds = 0.0
        """From its submission to the answer."""
        self.waited = 0.0
        """Seconds until its batch began."""
        self.batch_size = 0
        """Units in its batch."""
        self.batch_seconds = 0.0
        """From the begin of its batch to the commit."""
        self._loop = loop
        self._committed = False
        self._result: object = None
        self._error: Exception | None = None
        self._continuations: list[tuple[Callable[[Any], object], Callable[[Exception], Exception] | None]] = []
        self._callback: Callable[[Pending[T]], None] | None = None

    @property
    def facts(self) -> Mapping[str, int | float]:
        """How its batch went, for the flow's lines and spans."""
        return {
            "wait_seconds": self.waited,
            "batch_seconds": self.batch_seconds,
            "batch_size": self.batch_size,
        }

    def then(self, function: Callable[[T], R], failed: Callable[[Exception], Exception] | None = None) -> Pending[R]:
        """Continue with `function` once it is committed; use the returned object in place of this one.

        Where it failed, `failed` returns the exception to raise instead.
        """
        self._continuations.append((function, failed))
        return cast("Pending[R]", self)

    def when_committed(self, callback: Callable[[Pending[T]], None]) -> None:
        """Call back on the event loop, right after the commit or the failure; instead of awaiting it."""
        self._callback = callback

    def result(self) -> T:
        """What came of it, all continuations included; to be asked once, after the commit. Raises what was raised."""
        self._go_on()
        error, self._error = self._error, None  # or it, its traceback's frames and this unit would hold each other
        if error is not None:
            try:
                raise error
            finally:
                del error
        return cast("T", self._result)

    def _go_on(self) -> None:
        """Run the continuations; the last one's result is this unit's."""
        continuations, self._continuations = self._continuations, []
        for function, failed in continuations:
            if self._error is None:
                try:
                    self._result = function(self._result)
                except Exception as raised:  # noqa: BLE001 - `result` raises it, unless a continuation takes it
                    self._error = raised
            elif failed is not None:
                self._error = failed(self._error)

    def __await__(self) -> Generator[Any, None, T]:
        if not self._committed:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._callback = partial(_wake, waiter)
            yield from waiter
        return self.result()

    # The writer's side.

    def fill(self, result: object, error: Exception | None) -> None:
        """What running it brought; in the writer's thread, before `committed`."""
        self._result = result
        self._error = error

    def committed(self) -> None:
        """On the event loop: let whoever waits go on."""
        self._committed = True
        self.seconds = perf_counter() - self.began
        callback, self._callback = self._callback, None
        try:
            if callback is not None:
                callback(self)
                return
            # Nobody waits for it yet, or ever; its continuations run all the same.
            self._go_on()
            if self._error is not None and not isinstance(self._error, WriteFailed):  # which the observer has told
                self._loop.call_exception_handler(
                    {"message": "a unit that nobody waits for failed", "exception": self._error}
                )
        except Exception as error:  # noqa: BLE001 - the other units of the batch must be answered too
            self._loop.call_exception_handler({"message": "what waits for a unit failed", "exception": error})


def _wake(waiter: asyncio.Future[None], _: Pending[T]) -> None:
    if not waiter.done():  # cancelled by the one who waited
        waiter.set_result(None)
