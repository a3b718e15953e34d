"""What the program asks of a database engine, whichever it is; `sqlite/` is the one there is."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from mcpp_generated.db.readers import Readers


class Durability(StrEnum):
    """What an answered message survives (setting `durability`)."""

    FULL = "full"
    """Power loss: each commit waits for the disk."""
    NORMAL = "normal"
    """A crash of the process: the disk is waited for at checkpoints only."""


class DatabaseUnusable(Exception):
    """The database can't be used. The message is one line that says what is wrong and how to mend it."""

    def __init__(self, message: str, *, passes: bool = False) -> None:
        """`passes`: another try may succeed though nobody mends anything: a full disk, a lock."""
        super().__init__(message)
        self.passes = passes


def is_number_too_large(error: BaseException) -> bool:
    """Whether a query failed since an integer has more than the 64 bits that the engine has room for."""
    return isinstance(error, OverflowError) and str(error) == "Python int too large to convert to SQLite INTEGER"


class WriteConnection(Protocol):
    """The connection that the writer stores by: its transactions, in which the queries run on the same connection.

    Used by one thread at a time, not always the same one. Each method raises `engine_error` where the engine fails.
    """

    @property
    def engine_error(self) -> type[Exception]:
        """The class of all errors that the engine raises, its queries included."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; after some errors an engine has undone it by itself."""
        ...

    def begin(self) -> None:
        """Opens a transaction that may write; no other writer is in one then. Raises where the database is gone."""
        ...

    def commit(self) -> None:
        """Stores the transaction; raises where none is open, or where it went into a database that is gone."""
        ...

    def rollback(self) -> None:
        """Undoes the transaction; does nothing where none is open."""
        ...

    def savepoint(self) -> None:
        """Marks a place in the transaction; only one is needed at a time."""
        ...

    def rollback_to_savepoint(self) -> None:
        """Undoes what came after the savepoint, which stays."""
        ...

    def release_savepoint(self) -> None:
        """Forgets the savepoint and keeps what came after it."""
        ...

    def probe(self) -> str:
        """Writes for real within the transaction; returns what is wrong with the schema, `ok` where it is current."""
        ...

    def note_error(self, error: Exception) -> None:
        """Takes note of an `engine_error`: after one that shows damage, every further transaction is refused."""
        ...

    def close(self) -> None:
        """Closes the connection and releases this process's claim on the database."""
        ...


class ReaderPool(Protocol):
    """Connections that only read, beside the writer: for API, plugins, exports and start-up. Used on one event loop."""

    def reader(self) -> AbstractAsyncContextManager[Readers]:
        """Lends a connection for the length of the block; waits for one while all are lent."""
        ...
