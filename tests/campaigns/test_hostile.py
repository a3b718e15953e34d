"""The short form of the attacks: what they may take of memory and disk, and that the neighbour is served beside them.

`make hostile` runs them for long, and judges how long the neighbour waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.campaigns.attacks import ATTACKS, HEARTBEATS_ONLY
from tests.campaigns.hostile import FLAGS, attacked, attacked_alone
from tests.campaigns.neighbour import neighbour
from tests.campaigns.served import Served

SECONDS = 1.5
WAL_MIB = 16.0
"""What the write-ahead log may grow by before a checkpoint lets it be used again."""


class Fort:
    """A server that stands attack after attack; one that was broken is given up for a new one."""

    def __init__(self, folders: Iterator[Path]) -> None:
        self._folders = folders
        self._served: Served | None = None

    def served(self) -> Served:
        if self._served is None:
            self._served = Served(next(self._folders), *FLAGS)
            self._served.start()
        return self._served

    def give_up(self) -> None:
        served, self._served = self._served, None
        if served is not None:
            if served.is_alive:
                served.kill()
            served.end()


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fort]:
    fort = Fort(iter(lambda: tmp_path_factory.mktemp("hostile"), None))
    yield fort
    fort.give_up()


@pytest.mark.parametrize("name", sorted(ATTACKS.keys() - HEARTBEATS_ONLY))
def test_one_bad_client_harms_nobody(fort: Fort, name: str) -> None:
    served = fort.served()
    with neighbour(served.ocpp_port) as beside:
        outcome = attacked(served, beside, name, SECONDS, Random(name))
    broken = outcome.broken(spare_mib=WAL_MIB, timed=False)
    if broken:
        fort.give_up()

    assert outcome.sent, "nobody was attacked"
    assert broken == []


@pytest.mark.parametrize("name", sorted(HEARTBEATS_ONLY))
def test_one_bad_client_harms_nobody_while_nothing_can_be_stored(name: str) -> None:
    outcome = attacked_alone(name, 2 * SECONDS, 1)

    assert outcome.sent, "nobody was attacked"
    assert outcome.broken(spare_mib=WAL_MIB, timed=False) == []


def test_a_defect_in_the_log_is_noticed(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.log.write_text(
        '{"event":"ocpp_message"}\n{"event":"handler_failed"}\nTraceback (most recent call last):\n{"ev'
    )

    assert served.defects() == ['{"event":"handler_failed"}', "Traceback (most recent call last):"]
    assert served.defects() == []
