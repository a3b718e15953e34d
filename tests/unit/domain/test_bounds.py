"""What a charge point may fill has an end; its starts and stops are booked all the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain import unmatched
from mcpp.domain.allowance import Allowance
from mcpp.domain.charge_points import security_event
from mcpp.domain.configuration import KnownKey, note_keys
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.device_allowance import within_allowance
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OriginalMessage, Result
from mcpp.domain.statuses import ConnectorError, ConnectorStatus, StopReason
from mcpp.domain.stop_matching import ToldStop
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.queries import Queries
from tests.unit.domain.books import ENERGY, NOW, Books, energy, minute


def rules(result: Result[None]) -> list[str]:
    return [one.rule for one in result.left_out]


def kept(books: Books) -> list[tuple[UnmatchedKind, int]]:
    """Kind and claimed id of all that is kept of CP-1, the newest first."""
    rows = books.connection.execute("SELECT kind, claimed_transaction_id FROM unmatched ORDER BY id DESC")
    return [(UnmatchedKind(kind), claimed) for kind, claimed in rows]


def keep_stop(books: Books, claimed: int, memory: Memory, transaction_id: int | None = None) -> None:
    stop = ToldStop(minute(claimed), minute(claimed), 5000 + claimed, None)
    message = OriginalMessage("1.6", lambda: f"stop {claimed}")
    unmatched.keep_stop(
        books.q, books.occasion(), claimed, stop, StopReason.LOCAL.value, message, memory, transaction_id=transaction_id
    )


def keep_values(books: Books, claimed: int, memory: Memory, text: str = "values") -> None:
    unmatched.keep_meter_values(
        books.q, books.occasion(), claimed, OriginalMessage("1.6", lambda: f"{text} {claimed}"), memory
    )


def test_of_unmatched_records_meter_values_go_first_then_booked_stops_and_the_oldest_of_each(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "UNMATCHED_RECORDS", 3)
    memory = Memory()
    booked = books.start(connector=5).value.transaction_id
    keep_stop(books, 1, memory)
    keep_stop(books, 2, memory, transaction_id=booked)
    keep_values(books, 3, memory)
    assert not memory.left_out

    keep_values(books, 4, memory)
    assert kept(books) == [
        (UnmatchedKind.METER_VALUES, 4),
        (UnmatchedKind.STOP, 2),
        (UnmatchedKind.STOP, 1),
    ]
    keep_stop(books, 5, memory)
    keep_stop(books, 6, memory)
    assert [claimed for _, claimed in kept(books)] == [6, 5, 1]
    keep_stop(books, 7, memory)
    assert [claimed for _, claimed in kept(books)] == [7, 6, 5]
    assert [one.rule for one in memory.left_out] == [Over.OLDEST_DROPPED] * 4
    assert memory.left_out[-1].came == f"stop 1 of {NOW:%Y-%m-%d}"


def test_unmatched_records_are_bounded_in_bytes_for_each_charge_point(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "UNMATCHED_BYTES", 1000)
    memory = Memory()
    unmatched.keep_meter_values(
        books.q, books.occasion("CP-2"), 99, OriginalMessage("1.6", lambda: "another's" * 90), memory
    )
    for number in range(5):
        keep_values(books, number, memory, "x" * 400)

    assert [claimed for _, claimed in kept(books)] == [4, 3, 99]


def test_a_payload_that_is_too_large_is_kept_shortened(books: Books) -> None:
    memory = Memory()
    message = OriginalMessage("1.6", lambda: "x" * (bounds.UNMATCHED_PAYLOAD + 1), lambda most: f"at most {most}")
    unmatched.keep_meter_values(books.q, books.occasion(), 7, message, memory)

    (row,) = books.unmatched()
    assert row.payload == f"at most {bounds.UNMATCHED_PAYLOAD}"
    assert [one.rule for one in memory.left_out] == [Over.TOO_MUCH_TO_KEEP]


def test_a_security_event_takes_little_more_than_its_texts(books: Books) -> None:
    for number in range(200):
        text = f"{number} " + "x" * 1000
        assert security_event(books.q, books.occasion(), "Event", NOW, text).events
        assert not security_event(books.q, books.occasion(), "Event", NOW, text).events

    (taken,) = books.connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%security_events%'").fetchone()
    assert 200 * 1000 < taken < 200 * 1600


def test_the_oldest_security_events_give_way(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SECURITY_EVENTS", 3)
    results = [
        security_event(books.q, books.occasion(), "MemoryExhaustion", minute(-number), f"{number}")
        for number in range(5)
    ]
    security_event(books.q, books.occasion("CP-2"), "MemoryExhaustion", NOW, "another's")

    rows = books.connection.execute("SELECT tech_info FROM security_events ORDER BY id")
    assert [text for (text,) in rows] == ["2", "3", "4", "another's"]
    assert [rules(result) for result in results] == [[], [], [], [Over.OLDEST_DROPPED], [Over.OLDEST_DROPPED]]
    assert all(result.events for result in results)


@pytest.mark.parametrize("bound", ["CONFIGURATION_KEYS", "CONFIGURATION_BYTES"])
def test_configuration_keys_that_were_not_reported_for_long_give_way(
    books: Books, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(bounds, bound, 3 if bound == "CONFIGURATION_KEYS" else 3 * len("K1€".encode()))
    value = "€"  # three bytes
    first = [KnownKey(f"K{number}", value, readonly=False) for number in (1, 2)]
    second = [KnownKey(f"K{number}", value, readonly=False) for number in (2, 3, 4)]
    note_keys(books.q, books.occasion(at=minute(0)), first, [])
    result = note_keys(books.q, books.occasion(at=minute(1)), second, [])

    keys = books.q.list_configuration_page(charge_point_key=books.occasion().charge_point_key, after="", page_size=9)
    assert [key.key for key in keys] == ["K2", "K3", "K4"]
    assert [(one.rule, one.came) for one in result.left_out] == [(Over.OLDEST_DROPPED, "K1")]


def status(books: Books, connector: int, memory: Memory) -> Result[None]:
    report = ReportStatus(connector, ConnectorStatus.AVAILABLE, ConnectorError.NO_ERROR, None, None, None, NOW)
    return report_status(books.q, books.occasion(), report, memory)


def test_connectors_beyond_all_are_left_out_but_a_start_is_booked(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "CONNECTORS", 2)
    memory = Memory()
    assert [rules(status(books, number, memory)) for number in (1, 2, 3, 1, 0)] == [
        [],
        [],
        [Over.TOO_MUCH_TO_KEEP],
        [],
        [],
    ]
    assert rules(books.meter_values(energy(NOW, "1"), connector=4, memory=memory)) == [Over.TOO_MUCH_TO_KEEP]
    transaction_id = books.start(connector=9).value.transaction_id
    values = books.meter_values(energy(NOW, "1500"), connector=9, transaction_id=transaction_id, memory=memory)
    books.stop(transaction_id, meter=3000, at=minute(30))

    assert (rules(values), books.values(transaction_id)) == ([], ["1500"])
    assert books.transaction(transaction_id).energy_wh == 2000


def test_made_up_kinds_of_samples_share_one(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SAMPLE_KINDS", 3)
    memory = Memory()
    transaction_id = books.start().value.transaction_id
    results = [
        books.meter_values(
            energy(minute(number), f"{number}", replace(ENERGY, measurand=f"Made.Up.{number}")),
            transaction_id=transaction_id,
            memory=memory,
        )
        for number in range(5)
    ]
    of_others = books.meter_values(energy(NOW, "7"), charger="CP-2", memory=memory)

    rows = books.connection.execute("SELECT measurand FROM sample_kinds ORDER BY id")
    assert [text for (text,) in rows] == ["Made.Up.0", "Made.Up.1", "Made.Up.2", "_OTHER", ENERGY.measurand]
    assert [rules(result) for result in results] == [[], [], [], [Over.TOO_MUCH_TO_KEEP], [Over.TOO_MUCH_TO_KEEP]]
    assert books.values(transaction_id) == ["0", "1", "2", "3", "4"]
    assert rules(of_others) == []


def test_samples_beyond_the_allowance_are_left_out_until_there_is_room_again(books: Books) -> None:
    memory = Memory()
    transaction_id = books.start().value.transaction_id
    size = bounds.STORED_BURST // 10

    def tell(number: int, at: float) -> Result[None]:
        sample = energy(minute(number), "9" * size)
        return books.meter_values(sample, transaction_id=transaction_id, received=minute(at), memory=memory)

    told = [tell(number, 0) for number in range(12)]
    stopped = books.stop(transaction_id, meter=4000, at=minute(30))
    later = tell(20, 1)

    assert [bool(result.left_out) for result in told] == [False] * 9 + [True] * 3
    assert all(rules(result) == [Over.TOO_MUCH_TO_KEEP] and not result.events for result in told[9:])
    assert books.transaction(transaction_id).energy_wh == 3000
    assert (stopped.events != (), later.left_out) == (True, ())
    assert len(books.values(transaction_id)) == 10


def test_an_allowance_fills_again_by_the_second_and_not_by_a_clock_that_is_set_back() -> None:
    allowance = Allowance()
    assert allowance.take(bounds.STORED_BURST, NOW)
    assert not allowance.take(1, NOW)
    assert not allowance.take(1, NOW - timedelta(days=1))
    assert allowance.take(bounds.STORED_PER_SECOND, NOW - timedelta(days=1) + timedelta(seconds=1))
    assert not allowance.take(1, NOW - timedelta(days=1) + timedelta(seconds=1))
    assert not allowance.take(bounds.STORED_BURST + 1, NOW + timedelta(days=1))


def test_what_a_charger_tells_of_its_devices_has_an_allowance_of_its_own(books: Books) -> None:
    memory, noted = Memory(), []

    def tell(size: int, charger: str = "CP-1") -> Result[None]:
        def note(_: Queries, occasion: Occasion) -> Result[None]:
            noted.append(occasion.charge_point_id)
            return Result(None)

        return within_allowance(books.q, books.occasion(charger), memory, size, note)

    assert rules(tell(bounds.STORED_BURST)) == []
    assert rules(tell(1)) == [Over.TOO_MUCH_TO_KEEP]
    assert rules(tell(1, "CP-2")) == []
    assert noted == ["CP-1", "CP-2"]
    assert rules(books.meter_values(energy(NOW, "7"), memory=memory)) == []
