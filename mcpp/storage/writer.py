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
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from mcpp.storage.engine import WriteConnection
from mcpp.storage.observer import Memory, WriterObserver
from mcpp.storage.pending import Pending, WriteFailed, WriterClosed

Q = TypeVar("Q", covariant=True)  # a writer over an engine's queries is one over `Queries`
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class _NoMemory:
    def forget(self, key: int | None, /) -> None: ...
    def rolled_back(self) -> None: ...


class _State(Enum):
    IDLE = auto()
    GATHERING = auto()
    WRITING = auto()
    CLOSED = auto()


class _TransactionLost(Exception):
    """The transaction is over before its end."""


class _UnitFailed(Exception):
    """A unit raised while the batch ran without savepoints."""


@dataclass(slots=True, eq=False)
class _Batch:
    units: list[Pending[Any]]
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
        memory: Memory | None = None,
    ) -> None:
        """`queries` run on `connection`.

        `memory` has what units remember of charge points, by their keys; it's forgotten whenever it may not hold.
        """
        self._memory: Memory = _NoMemory() if memory is None else memory
        self._connection = connection
        self._queries = queries
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._state = _State.IDLE
        self._closing = False
        self._failing = False
        """Whether the last batch met an error of the database."""
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._gathered: list[Pending[Any]] = []
        self._gathered_since = 0.0
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()
        self.writing_since: float | None = None
        """When the batch at hand began, by the performance counter; any thread may ask."""
        # A daemon: a loop that died without closing the writer must not keep the process from ending.
        self._thread = Thread(target=self._run, name="mcpp-writer", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[Concatenate[Q, P], T], /, *args: P.args, **kwargs: P.kwargs) -> Pending[T]:
        """Have `function(queries, *args, **kwargs)` run in the writer's thread, after everything submitted before.

        The result is there once it is committed; or the exception that was raised, its writes undone; or WriteFailed
        when the database is at fault. `function` may run twice, the first time undone, so it should touch nothing but
        the database and the memory; it must not end the transaction. Nobody need wait for it: a unit once submitted
        is stored. Raises WriterClosed.

        Afterwards nothing that was remembered before holds.
        """
        return self._gather(self._unit(function, args, kwargs))

    def submit_about(
        self, key: int, function: Callable[Concatenate[Q, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Pending[T]:
        """As `submit`, for what changes one charge point only: what is remembered of the others holds on."""
        unit = self._unit(function, args, kwargs)
        unit.key = key
        return self._gather(unit)

    def submit_keeping(
        self, function: Callable[Concatenate[Q, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Pending[T]:
        """As `submit`, for what changes nothing that is remembered, or brings the memory up to date by itself."""
        unit = self._unit(function, args, kwargs)
        unit.keeps = True
        return self._gather(unit)

    def probe(self) -> Pending[str]:
        """As `submit`: writes for real; the result is what is wrong with the schema, `ok` where it is current."""
        unit: Pending[str] = Pending(self._loop, lambda _: self._connection.probe(), ())
        unit.keeps = True
        return self._gather(unit)

    @property
    def thread(self) -> Thread:
        """The writer's."""
        return self._thread

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

    def _unit(self, function: Callable[..., T], args: tuple[object, ...], kwargs: Mapping[str, object]) -> Pending[T]:
        return Pending(self._loop, partial(function, **kwargs) if kwargs else function, args)

    def _gather(self, unit: Pending[T]) -> Pending[T]:
        if self._closing:
            raise WriterClosed("the database is closed, since the server stops")
        if not self._gathered:
            self._gathered_since = unit.began
        self._gathered.append(unit)
        if self._state is _State.IDLE:
            # What other connections submit in this turn of the loop shares the batch, and the thread wakes once.
            self._state = _State.GATHERING
            self._loop.call_soon(self._proceed)
        return unit

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
            unit.waited = batch.began - unit.began
            unit.batch_size = size
            unit.batch_seconds = batch.seconds
            unit.committed()
        observer = self._observer
        if observer is None:
            return
        if batch.committed:
            observer.batch_size.observe(size)
            observer.batch_seconds.observe(batch.seconds)
            observer.wait_seconds.observe(batch.began - batch.submitted)
        for error in batch.errors:
            observer.on_error(error)
        if self._failing and not batch.errors:
            observer.on_usable_again()
        self._failing = bool(batch.errors)

    # In the writer's thread.

    def _run(self) -> None:
        # RuntimeError: the loop was closed before the writer, and nobody is left to be notified.
        with suppress(RuntimeError):
            for batch in iter(self._batches.get, None):
                self.writing_since = batch.began = perf_counter()
                self._write(batch)
                self.writing_since = None
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
            if isinstance(error, self._connection.engine_error):
                self._connection.note_error(error)
            for unit in batch.units:
                unit.fill(None, _write_failed(error))

    def _transact(self, batch: _Batch, run: Callable[[_Batch, Pending[Any]], None]) -> None:
        connection = self._connection
        connection.begin()
        try:
            for unit in batch.units:
                run(batch, unit)
            connection.commit()
        except BaseException:
            self._memory.rolled_back()
            connection.rollback()
            raise

    def _run_plain(self, _: _Batch, unit: Pending[Any]) -> None:
        try:
            unit.fill(unit.function(self._queries, *unit.args), None)
        except Exception as error:
            raise _UnitFailed from error
        self._forget(unit)
        if not self._connection.in_transaction:
            raise _TransactionLost("the transaction was lost in a unit")

    def _run_guarded(self, batch: _Batch, unit: Pending[Any]) -> None:
        connection = self._connection
        connection.savepoint()
        try:
            unit.fill(unit.function(self._queries, *unit.args), None)
        except Exception as error:
            self._memory.rolled_back()
            if not connection.in_transaction:
                raise
            connection.rollback_to_savepoint()
            if isinstance(error, connection.engine_error):
                connection.note_error(error)
                unit.fill(None, _write_failed(error))
                batch.errors.append(error)
            else:
                unit.fill(None, error)
        else:
            self._forget(unit)
        connection.release_savepoint()

    def _forget(self, unit: Pending[Any]) -> None:
        """The one rule of forgetting: what a unit may have changed isn't remembered any more."""
        if not unit.keeps:
            self._memory.forget(unit.key)


def _write_failed(cause: BaseException) -> WriteFailed:
    failure = WriteFailed(f"not stored: {cause}")
    failure.__cause__ = cause
    return failure
