"""What is kept of a message that is too large to be kept whole: it can still be read, and its ends are there."""

from __future__ import annotations

import pytest

from mcpp.ocpp16.keeping import original_meter_values, original_stop
from mcpp.ocpp16.unmatched import read_content
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.ocpp16 import actions


def entries(count: int, size: int) -> str:
    value = "x" * (size - 10)
    return ",".join(
        f'{{"timestamp":"2026-01-01T00:{number:02}:00Z","sampledValue":[{{"value":"{number}-{value}"}}]}}'
        for number in range(count)
    )


@pytest.mark.parametrize(
    ("count", "most", "left"), [(9, 5_000, [0, 1, 7, 8]), (2, 1_500, [0]), (1, 500, []), (0, 99, [])]
)
def test_meter_values_of_both_ends_are_kept(count: int, most: int, left: list[int]) -> None:
    told = '"transactionId":7,"meterStop":5,"timestamp":"2026-01-01T01:00:00Z"'
    stop = f'{{{told},"transactionData":[{entries(count, 1000)}]}}'
    original = original_stop(actions.STOP_TRANSACTION.decode_request(stop.encode()))
    assert original.shortened is not None
    kept = original.shortened(most)

    content = read_content(UnmatchedKind.STOP, kept)
    assert len(kept) <= max(most, 120)
    assert [int(sample.value.partition("-")[0]) for sample in content.samples] == left
    assert content.stop is not None
    assert content.stop.meter_stop == 5


def test_meter_values_alone_are_shortened_alike() -> None:
    text = f'{{"connectorId":1,"transactionId":7,"meterValue":[{entries(5, 1000)}]}}'
    original = original_meter_values(actions.METER_VALUES.decode_request(text.encode()))
    assert original.shortened is not None

    samples = read_content(UnmatchedKind.METER_VALUES, original.shortened(2_500)).samples
    assert [sample.value[0] for sample in samples] == ["0", "4"]
