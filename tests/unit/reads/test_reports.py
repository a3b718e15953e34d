"""Which period a session belongs to, and what is summed up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mcpp.reads.reports import By, Period, Total, grand_total, summed_up
from mcpp_generated.db.enums import Implausible
from mcpp_generated.db.models import ListEndedTransactionsRow

BERLIN = ZoneInfo("Europe/Berlin")


def session(
    stopped_at: datetime,
    *,
    hours: float = 1,
    wh: int = 1000,
    charger: str = "CP-1",
    id_tag: str = "TAG",
    implausible: bool = False,
    corrected: int | None = None,
) -> ListEndedTransactionsRow:
    return ListEndedTransactionsRow(
        id=1,
        charge_point_id=charger,
        id_tag=id_tag,
        started_at=stopped_at - timedelta(hours=hours),
        stopped_at=stopped_at,
        energy_wh=wh,
        implausible_reason=Implausible.SENTINEL if implausible else None,
        corrected_wh=corrected,
    )


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def periods(period: Period, zone: ZoneInfo, *stops: datetime) -> list[tuple[str, int]]:
    lines = summed_up(map(session, stops), By.CHARGER, period, zone)
    return [(line.period, line.total.sessions) for line in lines]


def test_the_day_that_loses_an_hour() -> None:
    # 2026-03-29 in Berlin has 23 hours: 23:00Z to 22:00Z.
    stops = (utc(3, 28, 22, 59), utc(3, 28, 23), utc(3, 29, 0, 59), utc(3, 29, 1), utc(3, 29, 21, 59), utc(3, 29, 22))

    assert periods(Period.DAY, BERLIN, *stops) == [("2026-03-28", 1), ("2026-03-29", 4), ("2026-03-30", 1)]


def test_the_day_that_gains_an_hour() -> None:
    # 2026-10-25 in Berlin has 25 hours: 22:00Z to 23:00Z; the hour from 2 to 3 comes twice.
    stops = (
        utc(10, 24, 21, 59),
        utc(10, 24, 22),
        utc(10, 25, 0, 30),
        utc(10, 25, 1, 30),
        utc(10, 25, 22, 59),
        utc(10, 25, 23),
    )

    assert periods(Period.DAY, BERLIN, *stops) == [("2026-10-24", 1), ("2026-10-25", 4), ("2026-10-26", 1)]


def test_a_session_over_the_switch_lasts_as_long_as_it_did() -> None:
    (spring,) = summed_up([session(utc(3, 29, 6), hours=6)], By.CHARGER, Period.DAY, BERLIN)
    (autumn,) = summed_up([session(utc(10, 25, 6), hours=6)], By.CHARGER, Period.DAY, BERLIN)

    assert spring.total.duration == autumn.total.duration == timedelta(hours=6)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", "2027-01-01"),
        ("UTC", "2026-12-31"),
        ("America/Los_Angeles", "2026-12-31"),
        ("Pacific/Kiritimati", "2027-01-01"),
        ("Asia/Kathmandu", "2027-01-01"),
    ],
)
def test_a_session_belongs_to_the_period_of_its_stop(zone: str, expected: str) -> None:
    new_year = session(utc(12, 31, 23, 30), hours=40)

    for period, length in ((Period.DAY, 10), (Period.MONTH, 7), (Period.YEAR, 4)):
        (line,) = summed_up([new_year], By.CHARGER, period, ZoneInfo(zone))
        assert line.period == expected[:length]


def test_implausible_sessions_are_only_counted() -> None:
    (line,) = summed_up(
        [session(utc(5, 1, 12)), session(utc(5, 1, 13), wh=-500, implausible=True)], By.CHARGER, Period.DAY, BERLIN
    )

    assert line.total == Total(sessions=1, energy_wh=1000, duration=timedelta(hours=1), implausible_sessions=1)


def test_a_stop_before_its_start_lasts_no_time() -> None:
    (line,) = summed_up([session(utc(5, 1, 12), hours=-2), session(utc(5, 1, 12))], By.CHARGER, Period.DAY, BERLIN)

    assert line.total.duration == timedelta(hours=1)


def test_lines_come_by_period_then_subject_and_id_tags_without_regard_to_case() -> None:
    sessions = [
        session(utc(5, 2, 12), id_tag="b"),
        session(utc(5, 2, 12), id_tag="Tag"),
        session(utc(5, 1, 12), id_tag="TAG"),
        session(utc(5, 2, 12), id_tag="TAG"),
    ]

    lines = summed_up(sessions, By.ID_TAG, Period.DAY, BERLIN)

    assert [(line.period, line.subject, line.total.sessions) for line in lines] == [
        ("2026-05-01", "Tag", 1),
        ("2026-05-02", "b", 1),
        ("2026-05-02", "Tag", 2),
    ]
    assert grand_total(lines).sessions == 4


def test_charge_points_are_compared_as_they_are() -> None:
    lines = summed_up(
        [session(utc(5, 1, 12), charger=charger) for charger in ("cp", "CP")], By.CHARGER, Period.YEAR, BERLIN
    )

    assert [line.subject for line in lines] == ["CP", "cp"]
