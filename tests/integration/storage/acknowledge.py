"""A process that stores pairs and prints each one's number once it is acknowledged; killed by test_crash.

Usage: python -m tests.integration.storage.acknowledge DATABASE COUNT. With a COUNT it ends after so many, its writer
never closed; with 0 it goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count, islice
from pathlib import Path

from mcpp.storage.writer import Writer
from tests.unit.storage.pairs import Pairs, add_pair, open_pairs


async def main(path: Path, how_many: int | None) -> None:
    connection = open_pairs(path)
    writer = Writer(connection, Pairs(connection))
    pairs = islice(count(), how_many)

    async def submitter() -> None:
        for pair in pairs:
            print(await writer.submit(add_pair, pair), flush=True)  # noqa: T201  the report to the test

    await asyncio.gather(*(submitter() for _ in range(10)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) or None))
