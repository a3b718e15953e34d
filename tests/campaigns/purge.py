"""A charger with a million samples is forgotten: does a healthy neighbour wait for it?

Usage: python -m tests.campaigns.purge [--samples 1000000]. Exits with 1 where the neighbour's p99 is 250 ms or more.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.campaigns.hostile import SLOWEST_P99_MS
from tests.campaigns.neighbour import Seen, neighbour
from tests.campaigns.served import Served

IDENTITY: Final = "LEAVING"
OF_A_READING: Final = 4
OF_A_TRANSACTION: Final = 500
"""Readings: a night's, each minute."""


@dataclass(frozen=True)
class Purged:
    """What came of it."""

    readings: int
    left: int
    """Readings that are still there; none where all went well."""
    seconds: float
    alone: Seen
    """What the neighbour saw before, for as long."""
    beside: Seen


def purge(folder: Path, samples: int) -> Purged:
    """Fill a database, forget the charger over HTTP, and look at the neighbour meanwhile."""
    served = Served(folder)
    served.start()
    try:
        readings = _fill(served.database, samples)
        with neighbour(served.ocpp_port) as beside:
            beside.seen()
            time.sleep(5)
            alone = beside.seen()
            began = time.monotonic()
            answer = httpx.delete(
                f"{served.http_url}/api/v1/charge-points/{IDENTITY}",
                params={"purge": True},
                timeout=600,
                trust_env=False,
            )
            seconds = time.monotonic() - began
            seen = beside.seen()
        answer.raise_for_status()
        with closing(sqlite3.connect(served.database)) as connection:
            (left,) = connection.execute("SELECT count(*) FROM transaction_readings").fetchone()
    finally:
        served.end()
    return Purged(readings, left, seconds, alone, seen)


def _fill(database: Path, samples: int) -> int:
    """Ended transactions with such readings; gives how many readings."""
    readings = samples // OF_A_READING
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("INSERT INTO charge_points (identity, registered_at) VALUES (?, 0)", (IDENTITY,))
        (key,) = connection.execute("SELECT key FROM charge_points WHERE identity = ?", (IDENTITY,)).fetchone()
        connection.execute("INSERT INTO connectors (charge_point_key, connector_id) VALUES (?, 1)", (key,))
        (connector,) = connection.execute("SELECT key FROM connectors WHERE charge_point_key = ?", (key,)).fetchone()
        for first in range(0, readings, OF_A_TRANSACTION):
            number = first // OF_A_TRANSACTION
            began = 1_700_000_000_000 + number * 86_400_000
            transaction = connection.execute(
                "INSERT INTO transactions (charge_point_key, connector_key, connector_id, id_tag, meter_start, "
                "started_at, start_received_at, stopped_at, stop_received_at, meter_stop, energy_wh, "
                "stop_origin, stop_match, session_correlation_id) "
                "VALUES (?, ?, 1, 'CARD', 0, ?, ?, ?, ?, 9000, 9000, 'charger', 'named', 'c')",
                (key, connector, began, began, began + 40_000_000, began + 40_000_000),
            ).lastrowid
            connection.executemany(
                "INSERT INTO transaction_readings VALUES (?, ?, '', 0, ?, NULL, 0, ?)",
                [
                    (transaction, began + n, json.dumps([f"{kind} {n}" for kind in range(1, OF_A_READING + 1)]), began)
                    for n in range(min(OF_A_TRANSACTION, readings - first))
                ],
            )
    return readings


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaigns.purge", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--samples", type=int, default=1_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mcpp-purge-") as folder:
        purged = purge(Path(folder), args.samples)
    for name, seen in (("before", purged.alone), ("beside the purge", purged.beside)):
        sys.stdout.write(
            f"{name}: {seen.answers} answers to the neighbour, p50 {seen.percentile(50):.0f} ms, "
            f"p99 {seen.percentile(99):.0f} ms, longest {max(seen.milliseconds):.0f} ms, {seen.lost} lost\n"
        )
    sys.stdout.write(f"{purged.readings} readings of {OF_A_READING} samples went in {purged.seconds:.1f} s\n")
    return int(purged.left > 0 or purged.beside.lost > 0 or purged.beside.percentile(99) >= SLOWEST_P99_MS)


if __name__ == "__main__":
    sys.exit(main())
