"""The short form of the stations' walks, whose failures shrink; and that their judge sees what it looks for."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.csms.version import KnownVersion
from mcpp.ocpp2.known import KNOWN_21, KNOWN_201
from tests.examples import examples
from tests.walks.station_books import judged
from tests.walks.stations import walked


@pytest.mark.parametrize("version", [KNOWN_201, KNOWN_21], ids=lambda version: version.name)
@examples(times=1)
@given(random=st.randoms(use_true_random=False), sessions=st.integers(1, 4))
def test_the_books_have_what_got_through_in_whatever_order(
    version: KnownVersion, random: Random, sessions: int
) -> None:
    with walked(random, sessions, version) as station:
        faults = list(judged(station))

    assert not faults, "\n".join([*faults, str(station.habits), *map(str, station.central.story)])


@pytest.mark.parametrize(
    ("fault", "statement"),
    [
        ("energy_wh", "UPDATE transactions SET energy_wh = energy_wh + 1"),
        ("meter_start", "UPDATE transactions SET meter_start = meter_start + 1"),
        ("started_at", "UPDATE transactions SET started_at = started_at - 1000"),
        ("id_tag", "UPDATE transactions SET id_tag = 'OTHER'"),
        ("stop_origin", "UPDATE transactions SET stop_origin = 'recovered', stop_match = NULL"),
        ("evse_id", "UPDATE transactions SET evse_id = 7"),
        ("gaps", "DELETE FROM transaction_events WHERE seq_no = 1"),
        ("isn't in the books", "UPDATE transactions SET ocpp_transaction_id = 'other-' || id"),
    ],
)
def test_wrong_books_are_judged_wrong(fault: str, statement: str) -> None:
    with walked(Random(1), 3, KNOWN_201) as station:
        right = list(judged(station))
        station.central.falsify(statement)
        wrong = list(judged(station))

    assert right == []
    assert any(fault in found for found in wrong), wrong
