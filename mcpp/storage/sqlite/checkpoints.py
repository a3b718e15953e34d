"""Bringing the WAL's pages back into the database, beside the writer.

A checkpoint within a commit makes all chargers wait until some thousand pages are copied and fsynced. So a thread does
it, in the mode that waits for nobody. While writes go on it never gets to the end of the WAL, which begins anew only
from there: what little is left then the writer copies itself, at the begin of its next transaction.

A reader keeps the WAL from beginning anew for as long as it looks at one state of the database; it grows meanwhile by
what is written, and is cut back afterwards.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

from mcpp.storage.engine import Durability
from mcpp.storage.sqlite.database import WriterConnection, existing_uri, set_durability

THREAD: Final = "mcpp-checkpoints"
"""The name of the thread that copies."""

PAGES: Final = 3000
"""Pages in the WAL at which a checkpoint begins, 12 MiB: hot pages are copied back and fsynced less often."""

_REST: Final = 500
"""Pages that the writer may copy itself, 2 MiB."""

_INTERVAL: Final = 0.25
"""Seconds between two looks at the WAL."""

_INDEX: Final = struct.Struct("=16x I 76x I")
"""Pages in the WAL and pages copied back, in its index (https://sqlite.org/walformat.html#the_wal_index_file_format)."""


class Checkpoints:
    """A thread that checkpoints a database for as long as its writer is open."""

    def __init__(self, path: Path, writer: WriterConnection, durability: Durability) -> None:
        self._path = path.resolve()
        self._writer = writer
        self._durability = durability
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=THREAD, daemon=True)

    def start(self) -> None:
        """Begin; the writer checkpoints no more by itself."""
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._thread.start()

    def stop(self) -> None:
        """End, before the writer is closed."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        claim = self._writer.claim
        assert claim is not None
        index = claim.open_index()
        connection = sqlite3.connect(existing_uri(self._path), uri=True, timeout=0, isolation_level=None)
        with closing(connection):
            set_durability(connection, self._durability)
            while not self._stopped.wait(_INTERVAL):
                # A full disk or a lost database: the writer says so itself.
                with suppress(sqlite3.Error):
                    self._look(connection, index)

    def _look(self, connection: sqlite3.Connection, index: int) -> None:
        written, copied = _INDEX.unpack(os.pread(index, _INDEX.size, 0))
        if written < PAGES or written == copied or self._writer.watch is None or self._writer.watch.is_ruined:
            return
        _, written, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if written - copied <= _REST:
            self._writer.checkpoint_due = True
