"""The device model: variables as last told, reports in chunks as real chargers number them, events once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.configuration import KnownKey, note_keys
from mcpp.domain.device_events import DeviceEvent, Trigger, note_events
from mcpp.domain.device_model import Monitor, Variable, note_change, note_monitors, note_variables
from mcpp.domain.device_reports import (
    ReportChunk,
    missing,
    note_report_chunk,
    note_report_request,
    note_reported,
    note_snapshot,
)
from mcpp.domain.events import DeviceEventReceived
from mcpp.domain.occasion import Result
from mcpp.domain.variables import BadKey, VariableRef, read_key
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind, Mutability, VariableAttribute
from mcpp_generated.db.models import DeviceReport, DeviceVariable
from tests.unit.domain.books import NOW, Books, minute

INTERVAL = VariableRef("OCPPCommCtrlr", "HeartbeatInterval")
PASSWORD = VariableRef("SecurityCtrlr", "BasicAuthPassword")
PROBLEM = VariableRef("Connector", "Problem", evse_id=1, connector_id=2)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.text("a.@#%[]1 ", max_size=8)

NUMBERS = st.integers(0, 2**63 - 1)


def variables(books: Books, charger: str = "CP-1") -> dict[str, str | None]:
    return {row.key: row.value for row in rows(books, charger)}


def rows(books: Books, charger: str = "CP-1") -> list[DeviceVariable]:
    return books.q.list_variables(
        charge_point_key=books.occasion(charger).charge_point_key,
        after="",
        component=None,
        variable=None,
        evse_id=None,
        search="",
        page_size=9999,
    )


def note(books: Books, told: Sequence[Variable], unknown: Sequence[VariableRef] = (), at: float = 0) -> Result[None]:
    return note_variables(books.q, books.occasion(at=minute(at)), told, unknown)


@given(st.builds(VariableRef, TEXTS, TEXTS, TEXTS, NUMBERS, NUMBERS, TEXTS, st.sampled_from(VariableAttribute)))
def test_a_key_names_one_variable_whatever_is_in_its_names(ref: VariableRef) -> None:
    assert read_key(ref.key) == ref


@pytest.mark.parametrize(
    ("key", "ref"),
    [
        ("OCPPCommCtrlr.HeartbeatInterval", INTERVAL),
        ("EVSE@1.Power#maxset", VariableRef("EVSE", "Power", evse_id=1, attribute=VariableAttribute.MAX_SET)),
        ("Connector@1.2.Problem", PROBLEM),
        ("C[a.b].V[c.d]", VariableRef("C", "V", "a.b", variable_instance="c.d")),
    ],
)
def test_keys_as_people_type_them(key: str, ref: VariableRef) -> None:
    assert read_key(f" {key} ") == ref


@pytest.mark.parametrize("key", ["HeartbeatInterval", "A.B.C", "A@x.B", "A.B#Wanted", "A[B.C", ""])
def test_what_is_no_key_is_told_what_one_is(key: str) -> None:
    with pytest.raises(BadKey, match=r"write Component\.Variable"):
        read_key(key)


def test_the_last_word_counts_and_what_it_leaves_out_stays(books: Books) -> None:
    limits = Variable(INTERVAL, "300", Mutability.READ_WRITE, "integer", "s", Decimal(10), Decimal("86400.5"))
    note(books, [limits, Variable(VariableRef("EVSE", "Power", evse_id=1), "11")])
    lower = INTERVAL._replace(variable="heartbeatinterval")
    note(books, [Variable(lower, "60")], [VariableRef("evse", "POWER", evse_id=1)], at=5)
    note_change(books.q, books.occasion(at=minute(6)), [(INTERVAL, "90"), (PROBLEM, "false")])

    assert variables(books) == {"OCPPCommCtrlr.heartbeatinterval": "90", "Connector@1.2.Problem": "false"}
    row = next(row for row in rows(books) if row.component == "OCPPCommCtrlr")
    assert (row.mutability, row.unit, row.max_limit) == (Mutability.READ_WRITE, "s", Decimal("86400.5"))
    assert row.known_at == minute(6)
    assert variables(books, "CP-2") == {}


def test_no_secret_reaches_the_database(books: Books) -> None:
    custom = VariableRef("Vendor", "Unlock")
    told = [
        Variable(PASSWORD, "geheim"),
        Variable(VariableRef("NetworkConfiguration", "VpnKey", "1"), "geheim"),
        Variable(VariableRef("Vpn", "Key"), "geheim"),
        Variable(VariableRef("NetworkConfiguration", "ApnPassword", "1"), "geheim"),
        Variable(custom, "geheim", Mutability.WRITE_ONLY),
        Variable(VariableRef("OCPPCommCtrlr", "Url"), "wss://cs:geheim@example.com"),
    ]
    note(books, told)
    note_change(books.q, books.occasion(), [(PASSWORD, "geheim"), (custom, "geheim")])
    note(books, [Variable(custom, "geheim")])
    note_events(
        books.q,
        books.occasion(),
        [DeviceEvent(subject=ref, event_id=at, value="geheim") for at, ref in enumerate([custom, PASSWORD])],
    )
    content = {
        "reportData": [
            {
                "component": {"name": ref.component},
                "variable": {"name": ref.variable},
                "variableAttribute": [{"value": "geheim"} | ({"mutability": "WriteOnly"} if ref == custom else {})],
            }
            for ref in (PASSWORD, custom, VariableRef("Vpn", "Key"))
        ]
    }
    note_report_chunk(
        books.q, books.occasion(), ReportChunk(kind=DeviceReportKind.VARIABLES, request_id=1, content=content)
    )

    assert len(variables(books)) == len(told)
    assert "geheim" not in "\n".join(books.connection.iterdump())


def test_a_charger_has_keys_or_a_device_model_whichever_it_told_of_last(books: Books) -> None:
    keys = [KnownKey("HeartbeatInterval", "300", readonly=False)]
    key = books.occasion().charge_point_key
    note_keys(books.q, books.occasion(), keys, [])
    note(books, [Variable(INTERVAL, "300")])
    assert books.q.list_configuration_page(charge_point_key=key, after="", page_size=9) == []
    note_keys(books.q, books.occasion(), keys, [])
    assert variables(books) == {}


@pytest.mark.parametrize("bound", ["DEVICE_VARIABLES", "DEVICE_VARIABLES_BYTES"])
def test_variables_that_were_not_told_of_for_long_give_way(
    books: Books, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(bounds, bound, 3 if bound == "DEVICE_VARIABLES" else 3 * len("C.V1€".encode()))
    told = [Variable(VariableRef("C", f"V{number}"), "€") for number in range(1, 5)]
    note(books, told[:2])
    result = note(books, told[1:], at=1)

    assert list(variables(books)) == ["C.V2", "C.V3", "C.V4"]
    assert [(one.rule, one.came) for one in result.left_out] == [(Over.OLDEST_DROPPED, "1 variables")]


class Reporting:
    """One charger that reports."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._minutes = count(10)

    def request(self, request_id: int = 1, kind: DeviceReportKind = DeviceReportKind.VARIABLES) -> None:
        occasion = self.books.occasion(at=minute(next(self._minutes)))
        note_report_request(self.books.q, occasion, kind, request_id, is_full=True)

    def chunk(self, seq_no: int, *names: str, last: bool = False, request_id: int = 1) -> Result[None]:
        told = [Variable(VariableRef("C", name), "1") for name in names]
        chunk = ReportChunk(
            kind=DeviceReportKind.VARIABLES,
            request_id=request_id,
            content={"reportData": list(names)},
            seq_no=seq_no,
            is_last=last,
        )
        occasion = self.books.occasion(at=minute(next(self._minutes)))
        return note_reported(self.books.q, occasion, note_variables, told, chunk)

    def report(self, request_id: int = 1) -> DeviceReport:
        key = self.books.occasion().charge_point_key
        report = self.books.q.find_device_report(charge_point_key=key, request_id=request_id)
        assert report is not None
        return report

    def contents(self, request_id: int = 1) -> list[str]:
        chunks = self.books.q.list_report_chunks(report_id=self.report(request_id).id)
        return [chunk.content for chunk in chunks]


@pytest.mark.parametrize("numbers", [(0, 1, 2), (1, 2, 3), (0, 0, 0), (5, 5, 5)])
def test_a_full_report_makes_what_it_does_not_name_forgotten_however_it_counts(
    books: Books, numbers: Sequence[int]
) -> None:
    charger = Reporting(books)
    note(books, [Variable(VariableRef("C", "Old"), "1")])
    charger.request()
    for number, name in zip(numbers, "ABC", strict=True):
        assert list(variables(books)) == [*(f"C.{it}" for it in "ABC"[: "ABC".index(name)]), "C.Old"]
        charger.chunk(number, name, last=name == "C")

    assert list(variables(books)) == ["C.A", "C.B", "C.C"]
    assert charger.report().is_complete
    assert len(charger.contents()) == 3


def test_a_repeated_chunk_is_kept_once(books: Books) -> None:
    charger = Reporting(books)
    for _ in range(2):
        charger.chunk(0, "A")
    told = [len(charger.chunk(1, "B", last=True).events) for _ in range(2)]

    assert told == [1, 0]
    assert charger.contents() == ['{"reportData":["A"]}', '{"reportData":["B"]}']


def test_where_a_chunk_is_missing_nothing_is_forgotten_until_it_comes(books: Books) -> None:
    charger = Reporting(books)
    note(books, [Variable(VariableRef("C", "Old"), "1")])
    charger.request()
    charger.chunk(0, "A")
    charger.chunk(2, "C", last=True)
    assert list(variables(books)) == ["C.A", "C.C", "C.Old"]
    charger.chunk(1, "B")

    assert list(variables(books)) == ["C.A", "C.B", "C.C"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_chunks_of_a_full_report_may_come_in_any_order(books: Books, order: tuple[int, ...]) -> None:
    charger = Reporting(books)
    note(books, [Variable(VariableRef("C", "Old"), "1")])
    charger.request()
    for number in order:
        charger.chunk(number, "ABC"[number], last=number == 2)

    assert list(variables(books)) == ["C.A", "C.B", "C.C"]
    assert charger.report().is_complete
    assert len(charger.contents()) == 3


def test_a_report_that_nobody_said_to_be_full_makes_nothing_forgotten(books: Books) -> None:
    note(books, [Variable(VariableRef("C", "Old"), "1")])
    Reporting(books).chunk(0, "A", last=True)
    assert list(variables(books)) == ["C.A", "C.Old"]


def test_an_agreement_that_comes_after_the_report_counts(books: Books) -> None:
    charger = Reporting(books)
    note(books, [Variable(VariableRef("C", "Old"), "1")])
    charger.chunk(0, "A", last=True)
    charger.request()
    assert list(variables(books)) == ["C.A"]
    assert len(charger.contents()) == 1
    charger.request()
    assert charger.contents() == []


def test_after_its_end_or_from_its_beginning_a_report_begins_anew(books: Books) -> None:
    charger = Reporting(books)
    for number, name, last in ((0, "A", False), (1, "B", False), (0, "C", False), (1, "D", True)):
        charger.chunk(number, name, last=last)
    assert charger.contents() == ['{"reportData":["C"]}', '{"reportData":["D"]}']
    charger.chunk(0, "E")
    assert charger.contents() == ['{"reportData":["E"]}']
    assert not charger.report().is_complete


def test_a_full_report_of_monitors(books: Books) -> None:
    monitors = [Monitor(number, PROBLEM, "Delta", Decimal(1), 4) for number in (1, 2)]
    note_monitors(books.q, books.occasion(), [*monitors, Monitor(3, PROBLEM, "Delta", Decimal(1), 4)], gone=[9])
    note_monitors(books.q, books.occasion(), [], gone=[3])
    kind = DeviceReportKind.MONITORS
    Reporting(books).request(kind=kind)
    chunk = ReportChunk(kind=kind, request_id=1, content={})
    note_reported(books.q, books.occasion(at=minute(99)), note_monitors, monitors[1:], chunk)

    key = books.occasion().charge_point_key
    assert [row.monitor_id for row in books.q.list_monitors(charge_point_key=key, after=0, page_size=9)] == [2]


def test_an_answer_takes_the_place_of_the_one_before(books: Books) -> None:
    contents: list[dict[str, JsonValue]] = [{"a": [1]}, {"a": [1]}, {"a": []}]
    for content in contents:
        kind = DeviceReportKind.INSTALLED_CERTIFICATES
        note_snapshot(books.q, books.occasion(), ReportChunk(kind=kind, request_id=0, content=content))
    assert Reporting(books).contents(0) == ['{"a":[]}']


def test_reports_are_bounded(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "DEVICE_REPORTS", 2)
    monkeypatch.setattr(bounds, "DEVICE_REPORTS_BYTES", 3 * (bounds.ROW + 20))
    charger = Reporting(books)
    dropped = [charger.chunk(0, str(number), last=True, request_id=number).left_out for number in range(3)]
    assert [[one.rule for one in left_out] for left_out in dropped] == [[], [], [Over.OLDEST_DROPPED]]

    assert [one.rule for one in charger.chunk(1, "x" * 999, request_id=3).left_out] == [
        Over.TOO_MUCH_TO_KEEP,
        Over.OLDEST_DROPPED,
    ]
    assert charger.contents(3) == ["{}"]
    monkeypatch.setattr(bounds, "DEVICE_REPORT_CHUNKS", 1)
    assert [one.rule for one in charger.chunk(2, "y", last=True, request_id=3).left_out] == [Over.TOO_MUCH_TO_KEEP]
    assert charger.report(3).is_complete


@pytest.mark.parametrize(
    ("numbers", "spans"),
    [
        ([], []),
        ([0], []),
        ([1, 2], []),
        ([7, 7], []),
        ([3], [(1, 2)]),
        ([0, 2, 10**15], [(1, 1), (3, 10**15 - 1)]),
    ],
)
def test_missing_numbers(numbers: list[int], spans: list[tuple[int, int]]) -> None:
    assert missing(numbers) == spans


def happened(books: Books, *events: DeviceEvent, at: float = 0) -> list[DeviceEventReceived]:
    result = note_events(books.q, books.occasion(at=minute(at)), events)
    return [event for event in result.events if isinstance(event, DeviceEventReceived)]


def test_an_event_is_told_once_and_what_the_variable_is_then_is_known(books: Books) -> None:
    note(books, [Variable(PROBLEM, "false")])
    note_monitors(books.q, books.occasion(), [Monitor(4, PROBLEM, "Delta", Decimal(1), 3)])
    alert = DeviceEvent(
        subject=PROBLEM, event_id=7, occurred_at=minute(1), value="true", trigger=Trigger.ALERTING, monitor_id=4
    )
    (told,) = happened(books, alert, at=2)
    assert happened(books, alert, at=3) == []

    assert (told.subject, told.component, told.evse_id, told.connector_id) == (
        "Connector@1.2.Problem",
        "Connector",
        1,
        2,
    )
    assert (told.value, told.severity, told.occurred_at) == ("true", 3, minute(1))
    assert variables(books) == {"Connector@1.2.Problem": "true"}
    point = books.q.get_charge_point(identity="CP-1")
    assert point is not None
    assert point.last_error_at == minute(2)

    queued = DeviceEvent(subject=PROBLEM, event_id=6, occurred_at=minute(-60), value="false")
    assert len(happened(books, queued, at=4)) == 1
    assert variables(books) == {"Connector@1.2.Problem": "true"}


@pytest.mark.parametrize(
    ("event", "is_error"),
    [
        (DeviceEvent(subject=PROBLEM, trigger=Trigger.ALERTING), True),
        (DeviceEvent(subject=PROBLEM, trigger=Trigger.ALERTING, severity=6), False),
        (DeviceEvent(subject=PROBLEM, trigger=Trigger.ALERTING, cleared=True), False),
        (DeviceEvent(subject=PROBLEM, trigger=Trigger.PERIODIC, severity=0), False),
        (DeviceEvent(subject="FreqDroop", kind=DeviceEventKind.DER_ALARM), True),
    ],
)
def test_which_events_are_errors(books: Books, event: DeviceEvent, *, is_error: bool) -> None:
    happened(books, event)
    point = books.q.get_charge_point(identity="CP-1")
    assert point is not None
    assert (point.last_error_at == NOW) is is_error


def test_an_event_without_a_time_is_a_repeat_where_nothing_came_between(books: Books) -> None:
    battery_in, battery_out = (
        DeviceEvent(kind=DeviceEventKind.BATTERY_SWAP, event_id=5, subject=subject, details={"soc": 50})
        for subject in ("BatteryIn", "BatteryOut")
    )
    told = [len(happened(books, event, at=at)) for at, event in enumerate([battery_in, battery_in, battery_out])]
    assert told == [1, 0, 1]


def test_the_oldest_events_and_large_details_give_way(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "DEVICE_EVENTS", 2)
    events = [DeviceEvent(subject=PROBLEM, event_id=it, details={"x": "y" * 9999} if it else {}) for it in range(4)]
    result = note_events(books.q, books.occasion(), events)

    kept = books.q.list_device_events(charge_point_key=books.occasion().charge_point_key, before_id=99, page_size=9)
    assert [(event.event_id, event.details) for event in kept] == [(3, "{}"), (2, "{}")]
    assert [one.rule for one in result.left_out] == [Over.TOO_MUCH_TO_KEEP] * 3 + [Over.OLDEST_DROPPED]
