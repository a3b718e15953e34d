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
from tests.campaigns.neighbour import Neighbour, neighbour
from tests.campaigns.served import Served

SECONDS = 1.5
WAL_MIB = 16.0
"""What the write-ahead log may grow by before a checkpoint lets it be used again."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("hostile"), *FLAGS)
    served.start()
    yield served
    served.end()


@pytest.fixture
def beside(served: Served) -> Iterator[Neighbour]:
    with neighbour(served.ocpp_port) as beside:
        yield beside


@pytest.mark.parametrize("name", sorted(ATTACKS.keys() - HEARTBEATS_ONLY))
def test_one_bad_client_harms_nobody(served: Served, beside: Neighbour, name: str) -> None:
    outcome = attacked(served, beside, name, SECONDS, Random(name))

    assert outcome.sent, "nobody was attacked"
    assert outcome.broken(spare_mib=WAL_MIB, timed=False) == []


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
