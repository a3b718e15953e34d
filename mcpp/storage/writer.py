"""The one writer: a thread with a connection that stores whatever waits in one transaction (group commit).

The event loop gathers units of work while the thread writes a batch of them:

    IDLE ──submit──▶ GATHERING ──next turn of the loop──▶ WRITING ──done, nothing gathered──▶ IDLE
                                                          WRITING ──done, more gathered────▶ WRITING
    IDLE or WRITING, once closing and nothing is left ──▶ CLOSED

The thread runs the units of a batch one after the other and commits once. A unit that raises undoes the batch, which
is then repeated with a savepoint around each unit: a batch in which nothing fails pays for no savepoints (4 to 5 µs
a unit). A batch that can't be committed leaves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from mcpp.storage.engine import WriteConnection

Q = TypeVar("Q", covariant=True)  # a writer over an engine's queries is one over `Queries`
P = ParamSpec("P")
T = TypeVar("T")


class WriteFailed(Exception):
    """The unit is not stored; the cause is the engine's error (disk full, I/O error, locked, a broken constraint)."""


class WriterClosed(WriteFailed):
    """The unit came after the writer had been told to close, and never ran."""


class WriterObserver(Protocol):
    """What measures the writer; called on the event loop, after the futures are resolved."""

    def on_batch(self, size: int, seconds: float, waited: float) -> None:
        """A batch of `size` units was committed, `seconds` after its transaction was asked for.

        The first of them had `waited` so many seconds before.
        """
        ...

    def on_error(self, error: BaseException) -> None:
        """A batch or a unit of one failed by this error of the database; a unit's own exceptions are none."""
        ...


class _State(Enum):
    IDLE = auto()
    GATHERING = auto()
    WRITING = auto()
    CLOSED = auto()


class _UnitFailed(Exception):
    """A unit raised while the batch ran without savepoints."""


class _TransactionLost(Exception):
    """The transaction is over before its end."""


@dataclass(slots=True, eq=False)
class Receipt:
    """When a unit was submitted, and how it was stored: filled in before its future is done."""

    submitted: float = field(default_factory=perf_counter)
    waited: float = 0.0
    """Seconds until its batch began."""
    batch_size: int = 0
    """Units in its batch."""
    batch_seconds: float = 0.0
    """From the begin of its batch to the commit."""


@dataclass(slots=True, eq=False)
class _Unit:
    call: Callable[[], object]
    future: asyncio.Future[Any]  # of the type that `submit` promises
    receipt: Receipt | None = None
    result: object = None
    error: Exception | None = None

    def resolve(self) -> None:
        if self.future.done():  # cancelled by the one who waited
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


@dataclass(slots=True, eq=False)
class _Batch:
    units: list[_Unit]
    submitted: float
    """When the first unit was."""
    began: float = 0.0
    seconds: float = 0.0
    committed: bool = False
    errors: list[BaseException] = field(default_factory=list)
    """The database's errors, as the observer gets them."""


class Writer(Generic[Q]):
    """Runs units of work, functions over a typed handle `Q`, and answers each once it is committed.

    Made on the event loop that will use it; owns the connection from then on. Nothing limits how much may wait but
    the callers: each charge point has at most one unit under way, since its messages are handled in order.
    """

    def __init__(
        self,
        connection: WriteConnection,
        queries: Q,
        observer: WriterObserver | None = None,
    ) -> None:
        """`queries` run on `connection`."""
        self._connection = connection
        self._queries = queries
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._state = _State.IDLE
        self._closing = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._gathered: list[_Unit] = []
        self._gathered_since = 0.0
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()
        # A daemon: a loop that died without closing the writer must not keep the process from ending.
        self._thread = Thread(target=self._run, name="mcpp-writer", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[Concatenate[Q, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Has `fn(queries, *args, **kwargs)` run in the writer's thread, after everything submitted before.

        The future gives its result once that is committed; or the exception that it raised, its writes undone; or
        WriteFailed when the database is at fault. `fn` may run twice, the first time undone, so it should touch
        nothing but the database; it must not end the transaction. Cancelling the future changes nothing: a unit once
        submitted is stored. Raises WriterClosed.
        """
        return self._enqueue(partial(fn, self._queries, *args, **kwargs))

    def submit_for(
        self, receipt: Receipt, fn: Callable[Concatenate[Q, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """As `submit`; the receipt tells where the time went."""
        return self._enqueue(partial(fn, self._queries, *args, **kwargs), receipt)

    def probe(self) -> asyncio.Future[str]:
        """As `submit`: writes for real; the result is what is wrong with the schema, `ok` where it is current."""
        return self._enqueue(self._connection.probe)

    @property
    def waiting(self) -> int:
        """Units that wait for their batch to begin."""
        return len(self._gathered)

    async def close(self) -> None:
        """Stores what was submitted, closes the connection, ends the thread. May be called again."""
        self._closing = True
        if self._state is _State.IDLE:
            self._proceed()
        await asyncio.shield(self._closed)
        self._thread.join()

    # On the event loop.

    def _enqueue(self, call: Callable[[], T], receipt: Receipt | None = None) -> asyncio.Future[T]:
        if self._closing:
            raise WriterClosed("the database is closed, since the server stops")
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._gathered:
            self._gathered_since = perf_counter()
        self._gathered.append(_Unit(call, future, receipt))
        if self._state is _State.IDLE:
            # What other connections submit in this turn of the loop shares the batch, and the thread wakes once.
            self._state = _State.GATHERING
            self._loop.call_soon(self._proceed)
        return future

    def _proceed(self) -> None:
        if self._gathered:
            self._state = _State.WRITING
            self._batches.put(_Batch(self._gathered, self._gathered_since))
            self._gathered = []
        elif self._closing:
            self._state = _State.CLOSED
            self._batches.put(None)
        else:
            self._state = _State.IDLE

    def _finish(self, batch: _Batch) -> None:
        self._proceed()
        size = len(batch.units)
        for unit in batch.units:
            if unit.receipt is not None:
                unit.receipt.waited = max(0.0, batch.began - unit.receipt.submitted)
                unit.receipt.batch_size = size
                unit.receipt.batch_seconds = batch.seconds
            unit.resolve()
        if self._observer is None:
            return
        if batch.committed:
            self._observer.on_batch(size, batch.seconds, max(0.0, batch.began - batch.submitted))
        for error in batch.errors:
            self._observer.on_error(error)

    # In the writer's thread.

    def _run(self) -> None:
        # RuntimeError: the loop was closed before the writer, and nobody is left to be told.
        with suppress(RuntimeError):
            for batch in iter(self._batches.get, None):
                batch.began = perf_counter()
                self._write(batch)
                batch.seconds = perf_counter() - batch.began
                self._loop.call_soon_threadsafe(self._finish, batch)
        try:
            self._connection.close()
        finally:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._closed.set_result, None)

    def _write(self, batch: _Batch) -> None:
        try:
            try:
                self._transact(batch, self._run_plain)
            except _UnitFailed:
                self._transact(batch, self._run_guarded)
            batch.committed = True
        except BaseException as error:  # noqa: BLE001  whatever happens, each unit is answered and the thread lives
            batch.errors = [error]
            for unit in batch.units:
                unit.error = _write_failed(error)

    def _transact(self, batch: _Batch, run: Callable[[_Batch, _Unit], None]) -> None:
        connection = self._connection
        connection.begin()
        try:
            for unit in batch.units:
                run(batch, unit)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def _run_plain(self, _: _Batch, unit: _Unit) -> None:
        try:
            unit.result = unit.call()
        except Exception as error:
            raise _UnitFailed from error
        if not self._connection.in_transaction:
            raise _TransactionLost("the transaction was lost in a unit")

    def _run_guarded(self, batch: _Batch, unit: _Unit) -> None:
        connection = self._connection
        connection.savepoint()
        try:
            unit.result = unit.call()
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.rollback_to_savepoint()
            if isinstance(error, connection.engine_error):
                unit.error = _write_failed(error)
                batch.errors.append(error)
            else:
                unit.error = _answerable(error)
        connection.release_savepoint()


def _answerable(error: Exception) -> Exception:
    """What the waiter gets for a unit's own exception."""
    if isinstance(error, StopIteration):  # which a future refuses to carry
        wrapped = RuntimeError("a unit raised StopIteration")
        wrapped.__cause__ = error
        return wrapped
    return error


def _write_failed(cause: BaseException) -> WriteFailed:
    failure = WriteFailed(f"not stored: {cause}")
    failure.__cause__ = cause
    return failure
