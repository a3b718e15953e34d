"""The database, for commands that work on it beside a running server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mcpp.cli.options import given_flags
from mcpp.errors import StartError
from mcpp.settings import Settings
from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.guests import Guest, open_guest


def database_of(options: Mapping[str, object]) -> Path:
    """The database that a command's options or the environment name. Raises StartError."""
    return Settings.load(given_flags(options)).database


@contextmanager
def open_database(database: Path, *, may_write: bool = False, alone: bool = False) -> Iterator[Guest]:
    """`open_guest` for a command: raises StartError, also for whatever SQLite finds wrong in the block."""
    try:
        with open_guest(database, may_write=may_write, alone=alone) as guest:
            yield guest
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
