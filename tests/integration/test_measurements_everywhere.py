"""What a connector's samples mean is one answer, whoever is asked: the metrics, a broker's topics, `mcpp trace`.

Each row is what a charger sends in its MeterValues, from the wire on; each column is read where a user reads it.
"""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from mcpp.ocpp16.metering import samples_of
from mcpp_generated.ocpp16.actions import METER_VALUES
from tests.integration.shown import CHARGE_POINTS, Session, ask_broker, ask_metrics, ask_trace
from tests.unit.domain.books import Books

Sampled = dict[str, str]

REGISTER = "Energy.Active.Import.Register"


def sampled(measurand: str, number: object, unit: str = "", phase: str = "", **more: str) -> Sampled:
    texts = {"value": str(number), "measurand": measurand, "unit": unit, "phase": phase, **more}
    return {name: text for name, text in texts.items() if text or name == "value"}


def power(number: object, unit: str = "W", phase: str = "", **more: str) -> Sampled:
    return sampled("Power.Active.Import", number, unit, phase, **more)


def volts(number: object, phase: str = "", unit: str = "V") -> Sampled:
    return sampled("Voltage", number, unit, phase)


def amperes(number: object, phase: str = "", unit: str = "A") -> Sampled:
    return sampled("Current.Import", number, unit, phase)


def register(number: object, unit: str = "Wh", phase: str = "", **more: str) -> Sampled:
    return sampled(REGISTER, number, unit, phase, **more)


def at(second: float, *samples: Sampled) -> tuple[float, Sequence[Sampled]]:
    """A MeterValue of that second."""
    return second, samples


@dataclass(frozen=True)
class Row:
    says: str
    messages: Sequence[Sequence[tuple[float, Sequence[Sampled]]]]
    """Each a list of MeterValues, with their seconds."""
    watts: float | None = None
    wh: int | None = None
    volts: Mapping[str, float] = field(default_factory=dict)
    amperes: Mapping[str, float] = field(default_factory=dict)


def row(
    says: str,
    *samples: Sampled,
    watts: float | None = None,
    wh: int | None = None,
    volts: Mapping[str, float] | None = None,
    amperes: Mapping[str, float] | None = None,
) -> Row:
    """Of one message with one time."""
    return Row(says, [[at(0, *samples)]], watts, wh, volts or {}, amperes or {})


ROOT_3 = math.sqrt(3)

ROWS = [
    row("outlet before inlet", power(7, "kW", location="Outlet"), power(9, "kW", location="Inlet"), watts=7000),
    row("inlet sent first", power(9, "kW", location="Inlet"), power(7, "kW", location="Outlet"), watts=7000),
    row("outlet is the default", power(9, "kW", location="Body"), power(7, "kW"), watts=7000),
    row("cable before EV", power(6000, location="EV"), power(7000, location="Cable"), watts=7000),
    row("nothing but the inlet", power(9, "kW", location="Inlet"), watts=9000),
    row("kVA", power(7.2, "kVA"), watts=7200),
    row("VA", power(7200, "VA"), watts=7200),
    row("kW", power(7.2, "kW"), watts=7200),
    row("no unit", power(7200, ""), watts=7200),
    row("a unit of something else", power(7200, "Wh")),
    row("misread power", power(65_535_000, "kW")),
    row("misread power beside a good phase", power(65_535_000, "kW"), power(2300, phase="L1"), watts=2300),
    row("negative power", power(-4000), watts=-4000),
    row("misread negative power", power(-2_147_483_648, "kW")),
    row("nothing drawn", power(0), watts=0),
    row(
        "three phases, no total",
        power(2300, phase="L1"), power(2300, phase="L2"), power(2400, phase="L3"), watts=7000,
    ),
    row("a total beside the phases", power(2300, phase="L1"), power(2300, phase="L2"), power(4700), watts=4700),
    row(
        "phases to neutral",
        power(2.3, "kW", "L1-N"), power(2.3, "kW", "L2-N"), power(2.4, "kW", "L3-N"), watts=7000,
    ),
    row("two of three phases", power(3600, phase="L1"), power(3600, phase="L3"), watts=7200),
    row("the neutral is no part of a sum", power(2300, phase="L1"), power(5, phase="N"), watts=2300),
    row("mixed units", power(2300, phase="L1"), power(2.3, "kW", "L2"), power(2.4, "kVA", "L3"), watts=7000),
    row("phases of the outlet, a total of the inlet",
        power(2300, phase="L1"), power(2300, phase="L2"), power(9000, location="Inlet"), watts=4600),
    row("NaN", power("NaN"), register("NaN")),
    row("infinity", power("inf"), register("-Infinity")),
    row("too great for a number", power("1e400"), register("1E+400000")),
    row("no number", power("n/a"), register("---")),
    row("an empty text", power(""), register("")),
    row("no number beside one", power("n/a"), power(2300, phase="L1"), register("x"), register(50), watts=2300, wh=50),
    row("blanks around a number", power(" 7.2 ", "kW"), register(" 50 "), watts=7200, wh=50),
    row("signed data", power("4F434D46", format="SignedData"), register("4F434D46", format="SignedData")),
    row("signed data that looks like a number", power("7200", format="SignedData"), register("9", format="SignedData")),
    row("other powers",
        sampled("Power.Active.Export", 7200, "W"), sampled("Power.Offered", 11_000, "W"),
        sampled("Power.Factor", 1), sampled("Power.Reactive.Import", 300, "var")),
    row("register in Wh", register(1234), wh=1234),
    row("register in kWh", register("1.2345", "kWh"), wh=1234),
    row("register of a tenth", register("1234.6"), wh=1235),
    row("register without a unit is in Wh", register(1234, ""), wh=1234),
    row("nothing but a value is the register", {"value": "1234"}, wh=1234),
    row("register of a phase, where there is no other", register(1234, phase="L1"), wh=1234),
    row("register of the energy that is sent back", sampled("Energy.Active.Export.Register", 1234, "Wh")),
    row("energy of an interval", sampled("Energy.Active.Import.Interval", 1234, "Wh"), wh=1234),
    row("register in varh", register(1234, "varh")),
    row("misread register", register(10**16)),
    row("misread register in kWh", register(10**13, "kWh")),
    row("the last of a moment's registers", register(1000), register("1.2", "kWh"), wh=1200),
    row("power and register", register("1.5", "kWh"), power("7.2", "kW"), watts=7200, wh=1500),
    row("voltage and current of one phase",
        volts(230), amperes(10), watts=2300, volts={"": 230}, amperes={"": 10}),
    row("voltages to neutral, currents by phase",
        volts(230, "L1-N"), volts(231, "L2-N"), volts(232, "L3-N"),
        amperes(10, "L1"), amperes(11, "L2"), amperes(12, "L3"),
        watts=2300 + 2541 + 2784,
        volts={"L1": 230, "L2": 231, "L3": 232}, amperes={"": 33, "L1": 10, "L2": 11, "L3": 12}),
    row("voltages between phases",
        volts(400, "L1-L2"), volts(400, "L2-L3"), volts(400, "L3-L1"),
        amperes(10, "L1"), amperes(10, "L2"), amperes(10, "L3"),
        watts=12_000 / ROOT_3,
        volts={"L1-L2": 400, "L2-L3": 400, "L3-L1": 400}, amperes={"": 30, "L1": 10, "L2": 10, "L3": 10}),
    row("voltage and current without units",
        volts(230, unit=""), amperes(10, unit=""), watts=2300, volts={"": 230}, amperes={"": 10}),
    row("reported power before derived power",
        power(2000), volts(230), amperes(10), watts=2000, volts={"": 230}, amperes={"": 10}),
    row("misread power gives way to voltage and current",
        power(65_535_000, "kW"), volts(230), amperes(10), watts=2300, volts={"": 230}, amperes={"": 10}),
    row("misread voltage", volts(4_294_967_295), amperes(10), amperes={"": 10}),
    row("misread current", volts(230), amperes(-65_535), volts={"": 230}),
    row("current without a voltage", amperes(10), amperes={"": 10}),
    row("currents that are offered or sent back",
        volts(230), sampled("Current.Offered", 16, "A"), sampled("Current.Export", 10, "A"), volts={"": 230}),
    Row("voltage and current in two messages", [[at(0, volts(230))], [at(30, amperes(10))]],
        watts=2300, volts={"": 230}, amperes={"": 10}),
    Row("current and voltage in two messages", [[at(0, amperes(10))], [at(30, volts(230))]],
        watts=2300, volts={"": 230}, amperes={"": 10}),
    Row("voltage and current too far apart", [[at(0, volts(230))], [at(61, amperes(10))]],
        volts={"": 230}, amperes={"": 10}),
    Row("phases of one time in two messages", [[at(0, power(2300, phase="L1"))], [at(0, power(2400, phase="L2"))]],
        watts=4700),
    Row("the inlet after the outlet", [[at(0, power(7000))], [at(10, power(9000, location="Inlet"))]], watts=7000),
    Row("several times in one message, not in order",
        [[at(1200, power(3000), register(3000)), at(0, power(1000), register(1000)), at(600, power(2000))]],
        watts=3000, wh=3000),
    Row("a message that comes late",
        [[at(1200, power(3000), register(3000))], [at(0, power(9000), register(1000))]], watts=3000, wh=3000),
    Row("power that falls", [[at(0, power(7000))], [at(600, power(0))]], watts=0),
    Row("fewer phases than before", [[at(0, power(2300, phase="L1"), power(2300, phase="L2"))],
        [at(600, power(3600, phase="L1"))]], watts=3600),
]  # fmt: skip

assert len({row.says for row in ROWS}) == len(ROWS)


# In the past, since messages are received now; readings become stale by the time of day.
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


def hold(books: Books, row: Row, charge_point_id: str, connector_id: int) -> Session:
    """A session as the domain stores it, with the events that come of it."""
    started = books.start(charger=charge_point_id, connector=connector_id, meter=0, at=BEGIN - timedelta(minutes=1))
    session = Session(charge_point_id, connector_id, started.value.transaction_id, list(started.events))
    for message in row.messages:
        meter_values = [
            {"timestamp": f"{BEGIN + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}", "sampledValue": samples}
            for second, samples in message
        ]
        payload = json.dumps({"connectorId": connector_id, "meterValue": meter_values}).encode()
        recorded = books.meter_values(
            *samples_of(METER_VALUES.decode_request(payload).meter_value),
            transaction_id=session.transaction_id,
            charger=charge_point_id,
            connector=connector_id,
            received=datetime.now(UTC),
        )
        session.events += recorded.events
    return session


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    """A session for each row, and what is said of it."""
    books = Books()
    held = [
        hold(books, row, CHARGE_POINTS[number % len(CHARGE_POINTS)], 1 + number // len(CHARGE_POINTS))
        for number, row in enumerate(ROWS)
    ]
    database = tmp_path_factory.mktemp("measurements") / "mcpp.db"
    with closing(books.connection), closing(sqlite3.connect(database)) as file:
        books.connection.backup(file)
    ask_trace(database, held)
    asyncio.run(ask_metrics(held))
    asyncio.run(ask_broker(held))
    return {row.says: session for row, session in zip(ROWS, held, strict=True)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_all_who_show_readings_say_the_same(row: Row, sessions: dict[str, Session]) -> None:
    answers = sessions[row.says].answers

    # The trace has whole watts, MQTT tenths.
    watts = None if row.watts is None else pytest.approx(row.watts, abs=0.5)
    assert {who: answer.watts for who, answer in answers.items()} == dict.fromkeys(("metrics", "MQTT", "trace"), watts)
    # On the broker a session begins at 0.
    wh = {"metrics": row.wh, "MQTT": row.wh or 0, "trace": row.wh}
    assert {who: answer.wh for who, answer in answers.items()} == wh
    assert answers["metrics"].volts == pytest.approx(row.volts)
    assert answers["metrics"].amperes == pytest.approx(row.amperes)
