"""Random walks by hand; fails where a bill is wrong in silence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from random import Random

from tests.walks.counts import Counts, story_lines
from tests.walks.judge import Verdict
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
    return 1 if counts.failures else 0


def _print(lines: Iterable[str] | Iterator[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
