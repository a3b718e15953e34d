"""What each rule of repair costs at its worst: `python -m tools.bench repairs`.

For each rule, payloads of 1 MiB that make as much of it as they can: many small ones, and one large one. The time is of
this process alone, from the text to the model: cutting, strict validation, repair. A second table has payloads that are
as expensive to read as JSON lets them be.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ValidationError

from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocppj.actions import decode
from mcpp.ocppj.errors import CallFault
from mcpp.ocppj.flow import Deviation
from mcpp.ocppj.repair import repair, thinned
from mcpp.ocppj.rules import Rule
from mcpp_generated.ocpp16.models import (
    DataTransferRequest,
    GetCompositeScheduleResponse,
    GetConfigurationResponse,
    MeterValuesRequest,
    StopTransactionRequest,
)
from tools.bench.markdown import table

SIZE: Final = 1 << 20
LIMIT_MS: Final = 50
_TURNS: Final = 7
_NOW: Final = datetime(2026, 4, 1, tzinfo=UTC)
_AT: Final = '"timestamp":"2026-01-01T10:00:00Z"'
_VALUES: Final = (f'{{"connectorId":1,"meterValue":[{{{_AT},"sampledValue":[', "]}]}")
_ENTRIES: Final = ('{"connectorId":1,"meterValue":[', "]}")
_KEYS: Final = ('{"configurationKey":[', "]}")
_STOP: Final = '{"transactionId":1,"meterStop":5,' + _AT


@dataclass(frozen=True, slots=True)
class Case:
    """A payload, and what it's the worst of."""

    rule: str
    what: str
    model: type[BaseModel]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Figure:
    """What a case took, and what came of it."""

    rule: str
    what: str
    milliseconds: float
    deviations: int


def _many(around: tuple[str, str], entry: str, room: int = SIZE) -> bytes:
    """As many equal entries as there is room for."""
    before, after = around
    times = (room - len(before) - len(after)) // (len(entry.encode()) + 1)
    return f"{before}{','.join([entry] * times)}{after}".encode()


def _few(around: tuple[str, str], entry: str) -> bytes:
    """The most entries that a payload may have that isn't crowded."""
    before, after = around
    return f"{before}{','.join([entry] * min(9_900, SIZE // (len(entry.encode()) + 1)))}{after}".encode()


def cases() -> Iterator[Case]:
    """The worst inputs of each rule."""
    yield from _of_values()
    yield from _of_times()
    yield from _of_texts()
    yield from _of_answers()
    yield from _of_shapes()
    yield from _of_json()


def _value(**members: str) -> str:
    spelled = ",".join(f'"{name}":{text}' for name, text in ({"value": '"1"'} | members).items())
    return f"{{{spelled}}}"


_NAMES: Final = ("unit", "phase", "format", "context", "location", "measurand")


def _of_values() -> Iterator[Case]:
    for rule, what, entry in (
        (Rule.NUMBER_FOR_TEXT, "values that are integers", _value(value="1")),
        (Rule.NUMBER_FOR_TEXT, "values that are decimals", _value(value="1.0")),
        (Rule.BOOLEAN_FOR_TEXT, "values that are true", _value(value="true")),
        (Rule.OUTSIDE_LIST, "six texts outside their lists", _value(**dict.fromkeys(_NAMES, '"q"'))),
        (Rule.OUTSIDE_LIST, "six texts of 64 characters", _value(**dict.fromkeys(_NAMES, f'"{"ä-" * 32}"'))),
        (Rule.LETTER_CASE, "six texts in capitals", _value(unit='"WH"', phase='"l1"', format='"RAW"')),
        (Rule.NULL_FIELD, "six members null", _value(**dict.fromkeys(_NAMES, "null"))),
        (Rule.EMPTY_FIELD, "six members empty", _value(**dict.fromkeys(_NAMES, '""'))),
        (Rule.UNREADABLE_FIELD, "six members objects", _value(**dict.fromkeys(_NAMES, '{"a":1}'))),
        (Rule.UNKNOWN_FIELD, "six unknown members", _value(a="0", b="0", c="0", d="0", e="0", f="0")),
        (Rule.BROKEN_TEXT, "halves of surrogate pairs", _value(value='"\\ud800"')),
        (Rule.ENTRY_LEFT_OUT, "numbers for sampled values", "0"),
        (Rule.ENTRY_LEFT_OUT, "empty sampled values", "{}"),
        (Rule.ENTRY_LEFT_OUT, "lists for sampled values", "[]"),
        (Rule.TOO_MANY_ENTRIES, "the smallest sampled values", _value()),
    ):
        yield Case(rule, f"{what}, as many as fit", MeterValuesRequest, _many(_VALUES, entry))
        yield Case(rule, f"{what}, just not crowded", MeterValuesRequest, _few(_VALUES, entry))


def _of_times() -> Iterator[Case]:
    for rule, what, text in (
        (Rule.TIMESTAMP_FORMAT, "odd times", '"2026/1/5 7:30:60,123456 UTC+02:00"'),
        (Rule.TIMESTAMP_WITHOUT_ZONE, "times without a zone", '"2026-01-05T07:30:00"'),
        (Rule.TIMESTAMP_AS_NUMBER, "Unix milliseconds", "1767608430000"),
        (Rule.UNREADABLE_FIELD, "times of 64 characters that are none", f'"2026-01-05 {"1" * 53}"'),
        (Rule.EMPTY_FIELD, "empty times", '""'),
    ):
        entry = f'{{"timestamp":{text},"sampledValue":[]}}'
        yield Case(rule, f"{what}, as many as fit", MeterValuesRequest, _many(_ENTRIES, entry))
        yield Case(rule, f"{what}, just not crowded", MeterValuesRequest, _few(_ENTRIES, entry))
    yield Case(Rule.MISSING_FIELD, "entries without anything", MeterValuesRequest, _many(_ENTRIES, "{}"))
    yield Case(Rule.LIST_OF_ONE, "objects for lists", MeterValuesRequest, _many(_ENTRIES, '{"sampledValue":{}}'))
    for rule, what, members in (
        (Rule.UNREADABLE_FIELD, "one time of 1 MiB", f'"meterStop":5,"timestamp":"{"2026-01-01 " * (SIZE // 11)}"'),
        (Rule.UNREADABLE_FIELD, "one number of 1 MiB in text", f'"meterStop":"{"1" * SIZE}",{_AT}'),
        (Rule.UNREADABLE_FIELD, "one decimal of 1 MiB", f'"meterStop":1.{"1" * SIZE},{_AT}'),
        (Rule.UNREADABLE_FIELD, "1E+400000", f'"meterStop":1E+400000,{_AT}'),
        (Rule.DECIMAL_FOR_INTEGER, "a decimal of 64 characters", f'"meterStop":1.{"1" * 62},{_AT}'),
        (Rule.TEXT_FOR_NUMBER, "a text of 64 characters", f'"meterStop":"{" " * 63}1",{_AT}'),
    ):
        yield Case(rule, what, StopTransactionRequest, f'{{"transactionId":1,{members}}}'.encode())


def _of_texts() -> Iterator[Case]:
    for rule, what, text in (
        (Rule.TEXT_CUT, "an id tag of 1 MiB", "A" * SIZE),
        (Rule.TEXT_CUT, "an id tag of 1 MiB beyond ASCII", "ä" * (SIZE // 2)),
        (Rule.BROKEN_TEXT, "an id tag of halves of surrogate pairs", "\\ud800" * (SIZE // 6)),
    ):
        yield Case(rule, what, StopTransactionRequest, f'{_STOP},"idTag":"{text}"}}'.encode())
    yield Case(
        Rule.OUTSIDE_LIST,
        "a reason of 1 MiB",
        StopTransactionRequest,
        f'{_STOP},"reason":"{"- " * (SIZE // 2)}"}}'.encode(),
    )
    data = ('{"vendorId":"v","data":[', "]}")
    for what, entry in (("empty lists", "[]"), ("quotes", '"\\""'), ("decimals", "1.5")):
        yield Case(Rule.OBJECT_FOR_TEXT, f"{what} for text", DataTransferRequest, _many(data, entry))
        yield Case(Rule.OBJECT_FOR_TEXT, f"{what} for text, just not crowded", DataTransferRequest, _few(data, entry))
    unknown = ",".join(f'"{number:x}":0' for number in range(SIZE // 9))
    yield Case(Rule.UNKNOWN_FIELD, "unknown members", StopTransactionRequest, f"{_STOP},{unknown}}}".encode())
    few = ",".join(f'"{number:x}":0' for number in range(60_000))
    yield Case(
        Rule.UNKNOWN_FIELD, "unknown members, just not crowded", StopTransactionRequest, f"{_STOP},{few}}}".encode()
    )


def _of_answers() -> Iterator[Case]:
    for rule, what, readonly in (
        (Rule.NUMBER_FOR_BOOLEAN, "keys with readonly 0", "0"),
        (Rule.TEXT_FOR_BOOLEAN, 'keys with readonly "true"', '"true"'),
    ):
        entry = f'{{"key":"k","readonly":{readonly}}}'
        yield Case(rule, f"{what}, as many as fit", GetConfigurationResponse, _many(_KEYS, entry))
        yield Case(rule, f"{what}, just not crowded", GetConfigurationResponse, _few(_KEYS, entry))
    key = f'{{"key":"{"k" * 51}","readonly":true}}'
    yield Case(Rule.TEXT_TOO_LONG, "keys of 51 characters", GetConfigurationResponse, _many(_KEYS, key))
    period = ('{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[', "]}}")
    limits = _few(period, '{"startPeriod":0,"limit":16.25}')
    yield Case(Rule.TOO_MANY_DECIMALS, "limits with hundredths", GetCompositeScheduleResponse, limits)


def _of_shapes() -> Iterator[Case]:
    stop = (f'{_STOP},"transactionData":[', "]}")
    for rule, what, entry in (
        (Rule.CROWDED_PAYLOAD, "empty lists", "[]"),
        (Rule.CROWDED_PAYLOAD, "lists in each other", "[" * 10 + "]" * 10),
        (Rule.CROWDED_PAYLOAD, "empty texts", '""'),
        (Rule.CROWDED_PAYLOAD, "texts of backslashes", '"\\\\"'),
        (Rule.MORE_DEVIATIONS, "numbers for entries", "0"),
        (Rule.MORE_DEVIATIONS, "decimals for entries", "1.0"),
    ):
        yield Case(rule, f"{what}, as many as fit", StopTransactionRequest, _many(stop, entry))
    blanks = f'{_STOP},{" " * SIZE}"transactionData":0}}'
    yield Case(Rule.UNREADABLE_FIELD, "1 MiB of blanks", StopTransactionRequest, blanks.encode())


def _of_json() -> Iterator[Case]:
    stop = (f'{_STOP},"transactionData":[', "]}")
    for digits in (150, 4_300, SIZE // 2):
        yield Case(
            Rule.ENTRY_LEFT_OUT, f"integers of {digits} digits", StopTransactionRequest, _many(stop, "9" * digits)
        )
    comma = _many((f'{_STOP},"x":[', ",]}"), '""', room=(1 << 16) - 100)
    yield Case(Rule.STRAY_COMMA, "64 KiB with a stray comma", StopTransactionRequest, comma)
    yield Case(
        Rule.STRAY_COMMA, "1 MiB with one, which is refused", StopTransactionRequest, _few((stop[0], ",]}"), '""')
    )
    for what, payload in (("lists", b"[" * SIZE), ("members", b'{"x":' * (SIZE // 5))):
        yield Case("(refused)", f"{what} in each other that never end", StopTransactionRequest, b'{"a":' + payload)


def measure(turns: int = _TURNS) -> list[Figure]:
    """The least of several turns, as other processes only make it longer."""
    figures = []
    for case in cases():
        times = []
        deviations: list[Deviation] = []
        for _ in range(turns):
            began = time.process_time()
            deviations = _read(case)
            times.append(time.process_time() - began)
        told = [deviation.rule for deviation in deviations]
        if case.rule in set(Rule) and case.rule not in told and "crowded_payload" not in told and told:
            raise AssertionError(f"{case.what} is no case of {case.rule}: {set(told)}")
        figures.append(Figure(str(case.rule), case.what, min(times) * 1000, len(deviations)))
    return figures


def _read(case: Case) -> list[Deviation]:
    """As the router reads a payload (`mcpp.csms.calls`)."""
    try:
        payload, deviations = thinned(case.model, case.payload, REPAIRS)
        try:
            decode(case.model, payload)
        except ValidationError:
            deviations += repair(case.model, payload, REPAIRS, _NOW)[1]
    except CallFault:
        return []
    return deviations


def _yardstick() -> float:
    payload = _many(_VALUES, _value(**dict.fromkeys(_NAMES, "0")))
    times = []
    for _ in range(_TURNS):
        began = time.process_time()
        json.loads(payload)
        times.append(time.process_time() - began)
    return min(times) * 1000


def report(figures: Sequence[Figure]) -> Iterator[str]:
    """The table, dearest first, and the rules that have no case."""
    rows = sorted(figures, key=lambda figure: -figure.milliseconds)
    yield from table(
        ("rule", "worst input", "ms", "deviations told"),
        "llrr",
        [(row.rule, row.what, f"{row.milliseconds:.1f}", str(row.deviations)) for row in rows],
    )
    over = sum(row.milliseconds > LIMIT_MS for row in rows)
    yield ""
    yield f"{len(rows)} inputs of 1 MiB; {over} above {LIMIT_MS} ms of CPU. To compare: Python's `json.loads` takes"
    yield f"{_yardstick():.1f} ms for 1 MiB of sampled values with six members each."
    if missing := sorted(set(Rule) - {row.rule for row in rows}):
        yield f"Without an input: {', '.join(missing)}."
