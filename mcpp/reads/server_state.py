"""How the server itself is: what its database takes, the room that is left for it, and its clock."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mcpp.reads.attention import is_disk_low, least_free


class DiskSpace(NamedTuple):
    """A file system, in bytes."""

    free: int
    total: int

    @property
    def least_free(self) -> int:
        """With less than that it needs somebody."""
        return least_free(self.total)

    @property
    def is_low(self) -> bool:
        return is_disk_low(self.free, self.total)


class OwnCertificate(NamedTuple):
    """A certificate of the server's own that ends soon."""

    name: str
    """What it's for: a listener, or the authority."""
    expires_at: datetime


class ServerState(NamedTuple):
    """At one moment."""

    version: str
    started_at: datetime
    time: datetime
    """As the server tells it."""
    machine_time: datetime
    """What the machine's clock shows."""
    clock_wrong_since: datetime | None
    """Since when the machine's clock isn't believed; None where it is."""
    database: str
    """The path of the file."""
    database_bytes: int
    wal_bytes: int
    """Of the write-ahead log beside it."""
    disk: DiskSpace | None
    """Where the database is; None where the system doesn't say."""
    ending_certificates: Sequence[OwnCertificate]


def disk_space(directory: Path) -> DiskSpace | None:
    """Of the file system that a directory is in; None where the system doesn't say."""
    try:
        space = os.statvfs(directory)
    except OSError:
        return None
    return DiskSpace(space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize)


def database_sizes(path: Path) -> tuple[int, int]:
    """The bytes of a database file and of its write-ahead log; 0 for one that isn't there."""
    return _size(path), _size(path.with_name(f"{path.name}-wal"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
