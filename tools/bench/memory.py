"""What a server that does nothing needs, and what each silent connection adds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.bench.child import Cpus
from tools.bench.servers import Subject, running
from tools.bench.turns import fleet

_SETTLE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one server."""

    server: str
    empty_bytes: int
    """Before anybody has connected."""
    connection_bytes: dict[int, float]
    """By the number of connections: what each adds to the empty server, its boot included."""


def measure(subjects: Sequence[Subject], counts: Sequence[int]) -> list[Memory]:
    """Each server anew, with more and more connections that have booted and are silent."""
    return [_measure(subject, counts) for subject in subjects]


def _measure(subject: Subject, counts: Sequence[int]) -> Memory:
    cpus = Cpus.of_this_machine()
    with (
        tempfile.TemporaryDirectory(prefix="mcpp-bench-") as folder,
        running(subject, Path(folder), cpus) as server,
        fleet(server, cpus) as chargers,
    ):
        time.sleep(_SETTLE_SECONDS)
        empty = server.resident_bytes()
        each: dict[int, float] = {}
        for count in sorted(counts):
            chargers.connect(count)
            time.sleep(_SETTLE_SECONDS)
            each[count] = (server.resident_bytes() - empty) / count
    return Memory(subject.name, empty, each)
