"""Kinds of samples: one object each, however it's come by, and no more of them than there is room for."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from threading import Barrier

import pytest

from mcpp.domain import samples
from mcpp.domain.measurements import Readings
from mcpp.domain.memory import Memory
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp.ocpp16 import metering
from mcpp_generated.ocpp16.actions import METER_VALUES
from tests.unit.domain.books import Books, minute

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def power(phase: str = "") -> SampleKind:
    return SampleKind("Power.Active.Import", phase, "kW", "Sample.Periodic", "Outlet", "Raw")


@pytest.fixture
def room_for_two(monkeypatch: pytest.MonkeyPatch) -> dict[object, SampleKind]:
    """The table of kinds, empty and soon full."""
    table: dict[object, SampleKind] = {}
    monkeypatch.setattr(samples, "_shared", table)
    monkeypatch.setattr(samples, "MOST_SHARED", 2)
    return table


def test_a_kind_is_one_object_however_it_is_come_by() -> None:
    kind = power("L1")

    assert power("L1") is kind
    assert replace(power("L2"), phase="L1") is kind
    assert SampleKind(**kind.as_dict()) is kind
    assert copy.deepcopy(kind) is kind
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert power("L2") is not kind
    assert power("L2") != kind


def test_a_kind_cannot_be_changed_since_all_share_it() -> None:
    with pytest.raises(FrozenInstanceError):
        power().phase = "L1"  # type: ignore[misc]  # which is what is shown
    assert power().phase == ""


def test_threads_that_meet_a_kind_at_once_get_the_same() -> None:
    threads = 8
    barrier = Barrier(threads)

    def meet(_: int) -> Sequence[SampleKind]:
        barrier.wait(10)
        return [power(f"new {number}") for number in range(200)]

    with ThreadPoolExecutor(threads) as pool:
        met = list(pool.map(meet, range(threads)))
    for kinds in zip(*met, strict=True):
        assert all(kind is kinds[0] for kind in kinds)


def test_kinds_beyond_the_tables_room_are_kept_by_nobody_and_behave_the_same(
    room_for_two: dict[object, SampleKind],
) -> None:
    shared = [power("L1"), power("L2")]
    unshared = [power("L3"), SampleKind(ENERGY_REGISTER, "", "kWh", "Trigger", "Inlet", "Raw")]
    again = [SampleKind(**kind.as_dict()) for kind in unshared]

    assert len(room_for_two) == 2
    assert power("L2") is shared[1]
    assert again == unshared
    assert {kind: number for number, kind in enumerate(unshared)}[again[1]] == 1
    assert len({*shared, *unshared, *again}) == 4
    assert copy.deepcopy(unshared[0]) == unshared[0]
    assert unshared[1].energy is not None
    assert unshared[1].energy.factor == 1000
    with pytest.raises(FrozenInstanceError):
        unshared[0].phase = "L1"  # type: ignore[misc]  # as above
    readings = Readings()
    readings.take([Sample(NOON, kind, "1", 0) for kind in (*shared, *again)], NOON)
    assert readings.power_watts(NOON) == {"": 3000, "L1": 1000, "L2": 1000, "L3": 1000}


def test_a_kind_beyond_the_tables_room_is_stored_as_one(room_for_two: dict[object, SampleKind], books: Books) -> None:
    transaction_id = books.start().value.transaction_id
    memory = Memory()
    for number in range(3):
        samples = [Sample(minute(number), power(phase), "1", 0) for phase in ("L1", "L2", "L3")]
        books.meter_values(*samples, transaction_id=transaction_id, memory=memory)

    assert books.count("sample_kinds") == 3
    assert len(memory.kinds) == 3


def test_a_charger_that_makes_up_kinds_fills_no_memory(
    room_for_two: dict[object, SampleKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = type(metering._KINDS)()
    monkeypatch.setattr(metering, "_KINDS", known)
    monkeypatch.setattr(metering, "MOST_SHARED", 2)
    phases = ("L1", "L2", "L3", "N")
    sampled = ",".join(f'{{"value":"1","phase":"{phase}"}}' for phase in phases)
    payload = f'{{"connectorId":1,"meterValue":[{{"timestamp":"2026-05-01T12:00:00Z","sampledValue":[{sampled}]}}]}}'

    for _ in range(2):
        read = metering.samples_of(METER_VALUES.decode_request(payload.encode()).meter_value)
        assert [(sample.kind.phase, sample.kind.measurand, sample.position) for sample in read] == [
            (phase, ENERGY_REGISTER, position) for position, phase in enumerate(phases)
        ]
    assert (len(known), len(room_for_two)) == (2, 2)
