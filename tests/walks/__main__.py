"""Random walks by hand; fails where a bill is wrong in silence, or the books of a station aren't what it told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from random import Random

from mcpp.ocpp2.known import KNOWN_21, KNOWN_201
from tests.walks.counts import Counts, story_lines
from tests.walks.judge import Verdict
from tests.walks.station_books import judged
from tests.walks.stations import walked
from tests.walks.walk import Walk, walk

LENGTHS = (1, 1, 2, 2, 3, 4, 6, 10)
"""Sessions of a walk."""


def of_seed(seed: int) -> Walk:
    """The walk that a seed stands for."""
    random = Random(seed)
    return walk(random, random.choice(LENGTHS))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.walks", description=__doc__)
    parser.add_argument("sessions", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the first walk's; each next one has the next number")
    parser.add_argument("--stories", type=int, default=5, help="how many kinds of failure to tell, the commonest first")
    parser.add_argument("--only", action="store_true", help="tell the story of the seed's walk, whatever comes of it")
    parser.add_argument(
        "--of", type=Verdict, action="append", default=[], help="tell of this verdict too, such as 'marked implausible'"
    )
    given = parser.parse_args()
    if given.only:
        _print(story_lines(of_seed(given.seed)))
        return 0
    counts = Counts(given.of)
    seed = given.seed
    with suppress(KeyboardInterrupt):  # what was counted until then is printed
        while counts.sessions < given.sessions:
            counts.add(seed, of_seed(seed))
            seed += 1
    _print(counts.lines())
    _print(counts.stories(given.stories))
    faults = _stations(given.seed, given.sessions // 4, given.stories)
    return 1 if counts.failures or faults else 0


def _stations(seed: int, wanted: int, stories: int) -> int:
    """Walks of charging stations with events, of 2.0.1 and 2.1 in turn; gives how many of them went wrong."""
    sessions = faults = walks = 0
    with suppress(KeyboardInterrupt):
        while sessions < wanted:
            random = Random(seed + walks)
            with walked(random, random.choice(LENGTHS), (KNOWN_201, KNOWN_21)[walks % 2]) as station:
                found = list(judged(station))
            sessions += len(station.sessions)
            walks += 1
            faults += bool(found)
            if found and faults <= stories:
                lines = map(str, station.central.story)
                _print([f"station's walk {seed + walks - 1}", *found, str(station.habits), *lines, ""])
    _print([f"{walks} walks of stations, {sessions} sessions, {faults} with faults"])
    return faults


def _print(lines: Iterable[str] | Iterator[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
