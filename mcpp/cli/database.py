"""The database, for commands that work on it beside a running server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

from mcpp.cli.options import given_flags
from mcpp.errors import StartError
from mcpp.settings import Settings
from mcpp.storage.engine import DatabaseUnusable, Durability, ReaderPool
from mcpp.storage.sqlite.guests import Guest, open_guest
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.sqlite.service import open_for_service

Step = TypeVar("Step")


def database_of(options: Mapping[str, object]) -> Path:
    """The database that a command's options or the environment name. Raises StartError."""
    return Settings.load(given_flags(options)).database


def begin_database(database: Path) -> None:
    """Make an empty one. Raises StartError, also where one was there and is gone."""
    try:
        connection, _, _ = open_for_service(database, Durability.FULL)
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
    connection.close()


@contextmanager
def open_database(database: Path, *, may_write: bool = False, alone: bool = False) -> Iterator[Guest]:
    """`open_guest` for a command: raises StartError, also for whatever SQLite finds wrong in the block."""
    try:
        with open_guest(database, may_write=may_write, alone=alone) as guest:
            yield guest
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error


@contextmanager
def read_in_steps(database: Path, read: Callable[[ReaderPool], AsyncIterator[list[Step]]]) -> Iterator[Iterator[Step]]:
    """What the read side gives in steps, without its event loop between two: none of them may be empty.

    Raises StartError, as `open_database`.
    """
    with open_database(database), asyncio.Runner() as runner:
        pool = runner.run(SqliteReaderPool.open(database, size=1))
        steps = read(pool)

        async def step() -> list[Step]:
            return await anext(steps, [])

        try:
            yield chain.from_iterable(iter(lambda: runner.run(step()), []))
        finally:
            runner.run(pool.close())
