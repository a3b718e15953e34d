"""What `mcpp status` draws, for terminals of any size and for texts that chargers made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from mcpp.cli.status_data import Attention, ChargePoint, Connector, Counts, Fleet, Session, Summary
from mcpp.cli.status_screen import plain, screen
from mcpp.reads.attention import Gravity
from mcpp.reads.shown_state import ShownState
from mcpp.reads.terminal_text import fitted, width_of

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
HOSTILE = "\x1b[2J\x1b]0;title\x07 <b>Süd</b> 卡片🚗 \u202eexe.gnp " + "ש" * 30 + "e\u0301" * 200


def point(name: str, *connectors: Connector, connected: bool = True) -> ChargePoint:
    return ChargePoint(
        id=name,
        connected=connected,
        display_name=None,
        connectors=list(connectors),
        last_connect_at=NOW - timedelta(hours=9),
        last_disconnect_at=None if connected else NOW - timedelta(hours=2),
        last_heartbeat_at=None,
    )


def connector(number: int, state: ShownState, transaction_id: int | None = None) -> Connector:
    power = 11_040.0 if state is ShownState.CHARGING else None
    return Connector(
        connector_id=number,
        state=state,
        status_began_at=NOW - timedelta(minutes=3),
        transaction_id=transaction_id,
        power_w=power,
    )


def fleet(*points: ChargePoint, attention: list[Attention] | None = None, total: int | None = None) -> Fleet:
    found = attention or []
    need = len({it.charge_point_id for it in found if it.gravity is not Gravity.NOTICE})
    summary = Summary(
        at=NOW,
        counts=Counts(charge_points=len(points), offline=0, need_attention=need),
        power_w=11_040.0,
        energy_today_wh=24_300,
        energy_month_wh=812_000,
        sessions_running=1,
        energy_running_wh=4_200,
        attention=found,
        attention_total=len(found) if total is None else total,
    )
    session = Session(transaction_id=7, id_tag="ALICE", energy_wh=4_200, duration_s=4_980)
    return Fleet(summary=summary, charge_points=points, sessions={7: session})


def needing(text: str, gravity: Gravity = Gravity.URGENT) -> Attention:
    return Attention(gravity=gravity, charge_point_id="CP-1", since=NOW - timedelta(minutes=5), text=text)


SIX = (
    point("garage", connector(0, ShownState.FREE), connector(1, ShownState.CHARGING, 7)),
    point("hof", connector(1, ShownState.FREE), connector(2, ShownState.FAULTED)),
    point("far away", connector(1, ShownState.OFFLINE), connected=False),
    point("new"),
)


def test_the_whole_fleet() -> None:
    shown = fleet(*SIX, attention=[needing("hof #2 reports a fault: GroundFailure")])

    assert list(screen(shown, width=100, height=None, paint=plain)) == [
        "1 of 4 chargers needs you",
        "11.0 kW now · 4.2 kWh in 1 session · 24.3 kWh today · 812.0 kWh this month",
        "",
        "✖ hof #2 reports a fault: GroundFailure" + " " * 56 + "5 min",
        "",
        "Charger   State               Power   Energy       Since  Card",
        "garage    ● charging        11.0 kW  4.2 kWh  1 h 23 min  ALICE",
        "hof #1    ○ free                                   3 min",
        "hof #2    ✖ fault                                  3 min",
        "far away  ◌ offline                                  2 h",
        "new       – out of service",
    ]


def test_all_is_well_or_there_is_nobody() -> None:
    assert next(screen(fleet(SIX[0]), width=80, height=24, paint=plain)) == "The charger is well"
    assert next(screen(fleet(SIX[0], SIX[0]), width=80, height=24, paint=plain)) == "All 2 chargers are well"
    for gone, said in ((1, "1 of 2 chargers is offline"), (2, "2 of 2 chargers are offline")):
        away = fleet(SIX[0], SIX[2])
        away.summary.counts.offline = gone
        assert next(screen(away, width=80, height=24, paint=plain)) == said
    assert next(screen(fleet(), width=80, height=24, paint=plain)) == "No charger has connected yet"
    own = needing("The disk with the database has 3 MiB left").model_copy(update={"charge_point_id": None})
    shown = fleet(SIX[0], attention=[own])
    shown.summary.counts.need_attention = 0
    assert next(screen(shown, width=80, height=24, paint=plain)) == "The server needs you; 1 charger"


@pytest.mark.parametrize("width", [1, 8, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 2, 5, 10, 24])
def test_it_fits_whatever_it_says(width: int, height: int) -> None:
    many = [*SIX, *(point(f"{HOSTILE}{number}", connector(1, ShownState.PLUGGED_IN)) for number in range(40))]
    shown = fleet(*many, attention=[needing(HOSTILE)] * 9, total=140)
    lines = list(screen(shown, width=width, height=height, paint=plain))[:height]

    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).isprintable()


def test_where_there_is_no_room_the_ones_at_which_something_happens_stay() -> None:
    free = [point(f"F-{number}", connector(1, ShownState.FREE)) for number in range(40)]
    lines = list(screen(fleet(*free, *SIX), width=80, height=9, paint=plain))

    assert [line.split()[0] for line in lines[4:]] == ["hof", "far", "garage", "new", "…"]
    assert lines[-1] == "… and 41 more"


def test_colours_take_no_room() -> None:
    def paint(text: str, color: str | None, bold: bool, dim: bool) -> str:
        return click.style(text, fg=color, bold=bold, dim=dim)

    shown = fleet(*SIX, attention=[needing("x")])
    colored = [click.unstyle(line) for line in screen(shown, width=60, height=20, paint=paint)]
    assert colored == list(screen(shown, width=60, height=20, paint=plain))


@pytest.mark.parametrize(
    ("text", "width", "fits"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("卡片卡", 5, "卡片…"),
        ("卡片", 4, "卡片"),
        ("e\u0301x", 2, "e\u0301x"),
        ("a", 0, ""),
    ],
)
def test_texts_are_cut_at_a_column(text: str, width: int, fits: str) -> None:
    assert fitted(text, width) == fits
