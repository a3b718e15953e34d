"""What one bad client does to the server and to a healthy neighbour, attack by attack.

Usage: python -m tests.campaigns.hostile [--seconds 25] [--seed 1] [ATTACK …]. Each attack meets a server of its own;
the table has what the process took and what the neighbour saw. Exits with 1 where a limit was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from tests.campaigns.attacks import ATTACKS, HEARTBEATS_ONLY, Attack, Front
from tests.campaigns.neighbour import Neighbour, Seen, neighbour
from tests.campaigns.served import Figures, Served

MOST_RSS_MIB: Final = 300.0
MOST_DISK_MIB_PER_SECOND: Final = 1.0
SLOWEST_P99_MS: Final = 250.0
"""What the neighbour may wait for one answer in a hundred."""
SLOWEST_STOP_SECONDS: Final = 10.0
"""From SIGTERM, right after the attack, to the end of the process."""

FLAGS: Final = ("--trusted-proxies", "127.0.0.1")
"""The server's: the address of who attacks is told by a proxy, since limits by address don't hold for loopback."""

_PREPARATION: Final = 60.0
"""Seconds that an attack may take to make its frames and connections."""
_EVERY: Final = 0.1
"""Seconds between two looks at the process."""


class Watch:
    """Looks at the process while an attack runs, from a thread, since the attack is busy."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.begin = served.figures()
        self.peak_rss_mib = self.begin.rss_mib
        self.end = self.begin
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        with suppress(Exception):  # it may have been made to end
            self.end = self._served.figures()
            self.peak_rss_mib = max(self.peak_rss_mib, self.end.rss_mib)

    def _look(self) -> None:
        with suppress(Exception):
            while not self._over.wait(_EVERY):
                self.peak_rss_mib = max(self.peak_rss_mib, self._served.figures().rss_mib)


@dataclass(frozen=True)
class Outcome:
    """What an attack did."""

    name: str
    seconds: float
    sent: int
    begin: Figures
    peak_rss_mib: float
    end: Figures
    seen: Seen
    defects: Sequence[str]
    is_alive: bool
    stop_seconds: float | None = None
    """None where it goes on to run."""

    @property
    def disk_mib_per_second(self) -> float:
        """The database's growth."""
        return (self.end.database_mib - self.begin.database_mib) / self.seconds

    @property
    def log_mib_per_second(self) -> float:
        return (self.end.log_mib - self.begin.log_mib) / self.seconds

    def broken(self, *, spare_mib: float = 0.0, timed: bool = True) -> list[str]:
        """The limits that didn't hold; `spare_mib` is what the write-ahead log may take before it's used again."""
        broken = []
        if not self.is_alive:
            broken.append("the server ended")
        if self.peak_rss_mib >= MOST_RSS_MIB:
            broken.append(f"RSS {self.peak_rss_mib:.0f} MiB")
        grown = self.end.database_mib - self.begin.database_mib - spare_mib
        if grown >= MOST_DISK_MIB_PER_SECOND * self.seconds:
            broken.append(f"the database grew by {grown:.1f} MiB in {self.seconds:.1f} s")
        if timed and self.seen.percentile(99) >= SLOWEST_P99_MS:
            broken.append(f"the neighbour's p99 is {self.seen.percentile(99):.0f} ms")
        if not self.seen.answers:
            broken.append("the neighbour got no answer")
        if self.seen.lost:
            broken.append(f"the neighbour lost {self.seen.lost} connections or answers")
        if self.stop_seconds is not None and self.stop_seconds > SLOWEST_STOP_SECONDS:
            broken.append(f"it took {self.stop_seconds:.0f} s to stop")
        broken += [line[:2000] for line in self.defects[:3]]
        return broken


async def run_attack(attack: Attack, front: Front, seconds: float) -> float:
    """So long, from the first blow; gives how long it was. What the attack itself raises is its own mistake."""
    attacking = asyncio.create_task(attack(front))
    try:
        async with asyncio.timeout(_PREPARATION):
            while not front.sent and not attacking.done():
                await asyncio.sleep(0.01)
        began = time.monotonic()
        await asyncio.wait([attacking], timeout=seconds)
        if attacking.done():
            await attacking
        return time.monotonic() - began
    finally:
        attacking.cancel()
        with suppress(asyncio.CancelledError):
            await attacking


def attacked(served: Served, beside: Neighbour, name: str, seconds: float, random: Random) -> Outcome:
    """One attack on a server that runs, beside a neighbour that does too."""
    front = Front(served.ocpp_port, served.http_url, served.database, random)
    beside.seen()
    watch = Watch(served)
    lasted = asyncio.run(run_attack(ATTACKS[name], front, seconds))
    seen = beside.seen()
    watch.stop()
    return Outcome(
        name, lasted, front.sent, watch.begin, watch.peak_rss_mib, watch.end, seen, served.defects(), served.is_alive
    )


HEAD: Final = (
    f"{'attack':<22} {'sent':>8} | {'RSS MiB':>7} {'peak':>6} | {'disk':>6} {'log':>6} MiB/s | "
    f"{'answers':>7} {'p50':>6} {'p99':>7} {'max':>7} ms | lost | broken"
)


def row(outcome: Outcome) -> str:
    seen = outcome.seen
    return (
        f"{outcome.name:<22} {outcome.sent:>8} | {outcome.begin.rss_mib:>7.0f} {outcome.peak_rss_mib:>6.0f} | "
        f"{outcome.disk_mib_per_second:>6.2f} {outcome.log_mib_per_second:>6.2f}       | "
        f"{seen.answers:>7} {seen.percentile(50):>6.1f} {seen.percentile(99):>7.1f} "
        f"{seen.percentile(100):>7.1f}    | {seen.lost:>4} | {'; '.join(outcome.broken()) or '-'}"
    )


def attacked_alone(name: str, seconds: float, seed: int) -> Outcome:
    """One attack on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        served = Served(Path(folder), *FLAGS)
        served.start()
        mode = ("heartbeats",) if name in HEARTBEATS_ONLY else ()
        try:
            with neighbour(served.ocpp_port, *mode) as beside:
                outcome = attacked(served, beside, name, seconds, Random(f"{seed}-{name}"))
                began = time.monotonic()
                served.end()
                return replace(outcome, stop_seconds=time.monotonic() - began)
        finally:
            served.end()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.hostile", description=__doc__)
    parser.add_argument("attacks", nargs="*", help=f"of {', '.join(ATTACKS)}; all where none is named")
    parser.add_argument("--seconds", type=float, default=25.0, help="how long each attack goes on")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if unknown := set(given.attacks) - set(ATTACKS):
        parser.error(f"no such attacks: {', '.join(sorted(unknown))}")
    broken = 0
    _print(f"seed {given.seed}, {given.seconds:g} s each", HEAD)
    for name in given.attacks or ATTACKS:
        outcome = attacked_alone(name, given.seconds, given.seed)
        broken += bool(outcome.broken())
        _print(row(outcome))
    return 1 if broken else 0


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
