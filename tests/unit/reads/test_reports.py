"""Which period a session belongs to, and what is summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from mcpp.reads import reports
from mcpp.reads.reports import By, Line, Period, TooManyLines, Total, energy_report, grand_total
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp_generated.db.sqlite.queries import SqliteQueries

BERLIN = ZoneInfo("Europe/Berlin")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Session(NamedTuple):
    """As the database has it."""

    started_at: datetime
    stopped_at: datetime
    wh: int
    charger: str
    id_tag: str
    implausible: bool
    corrected: int | None


def session(
    stopped_at: datetime,
    *,
    hours: float = 1,
    wh: int = 1000,
    charger: str = "CP-1",
    id_tag: str = "TAG",
    implausible: bool = False,
    corrected: int | None = None,
) -> Session:
    return Session(stopped_at - timedelta(hours=hours), stopped_at, wh, charger, id_tag, implausible, corrected)


class Books:
    """A database with ended sessions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_writer(path)
        migrate(self._connection)
        self._q = SqliteQueries(self._connection)
        self._places: dict[str, tuple[int, int]] = {}

    async def summed_up(
        self,
        sessions: Sequence[Session],
        by: By,
        period: Period,
        zone: tzinfo | None,
        since: datetime = BEFORE_ALL,
        until: datetime = AFTER_ALL,
    ) -> list[Line]:
        """The report of these sessions alone."""
        self._connection.execute("BEGIN")
        self._connection.execute("DELETE FROM transactions")
        for number, one in enumerate(sessions, 1):
            self._add(number, one)
        self._connection.execute("COMMIT")
        pool = await SqliteReaderPool.open(self._path, size=1)
        try:
            return await energy_report(pool, by, period, zone, since, until)
        finally:
            await pool.close()

    def _add(self, number: int, one: Session) -> None:
        execute = self._connection.execute
        key, connector = self._places.get(one.charger) or self._place(one.charger)
        started, stopped = ((at - _EPOCH) // timedelta(milliseconds=1) for at in (one.started_at, one.stopped_at))
        execute(
            "INSERT INTO transactions (id, charge_point_key, connector_key, connector_id, id_tag, meter_start, "
            "meter_stop, started_at, start_received_at, stopped_at, stop_origin, stop_match, energy_wh, "
            "implausible_reason, session_correlation_id) "
            "VALUES (?, ?, ?, 1, ?, 0, 0, ?, ?, ?, 'charger', 'named', ?, ?, '')",
            (
                number,
                key,
                connector,
                one.id_tag,
                started,
                started,
                stopped,
                one.wh,
                "sentinel" if one.implausible else None,
            ),
        )
        if one.corrected is not None:
            execute(
                "INSERT INTO transaction_corrections (id, transaction_id, energy_wh, note, who, corrected_at) "
                "VALUES (?, ?, ?, '', '', 0)",
                (number, number, one.corrected),
            )
            execute("UPDATE transactions SET correction_id = id WHERE id = ?", (number,))

    def _place(self, charger: str) -> tuple[int, int]:
        key = self._q.connect_charge_point(identity=charger, ocpp_version="1.6", connected_at=_EPOCH).key
        connector = self._q.add_connector(charge_point_key=key, evse_id=0, connector_id=1).key
        self._places[charger] = key, connector
        return key, connector

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path / "mcpp.db")
    yield made
    made.close()


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


async def periods(books: Books, period: Period, zone: ZoneInfo, *stops: datetime) -> list[tuple[str, int]]:
    lines = await books.summed_up([session(stop) for stop in stops], By.CHARGER, period, zone)
    return [(line.period, line.total.sessions) for line in lines]


async def test_the_day_that_loses_an_hour(books: Books) -> None:
    # 2026-03-29 in Berlin has 23 hours: 23:00Z to 22:00Z.
    stops = (utc(3, 28, 22, 59), utc(3, 28, 23), utc(3, 29, 0, 59), utc(3, 29, 1), utc(3, 29, 21, 59), utc(3, 29, 22))

    assert await periods(books, Period.DAY, BERLIN, *stops) == [("2026-03-28", 1), ("2026-03-29", 4), ("2026-03-30", 1)]


async def test_the_day_that_gains_an_hour(books: Books) -> None:
    # 2026-10-25 in Berlin has 25 hours: 22:00Z to 23:00Z; the hour from 2 to 3 comes twice.
    stops = (
        utc(10, 24, 21, 59),
        utc(10, 24, 22),
        utc(10, 25, 0, 30),
        utc(10, 25, 1, 30),
        utc(10, 25, 22, 59),
        utc(10, 25, 23),
    )

    assert await periods(books, Period.DAY, BERLIN, *stops) == [("2026-10-24", 1), ("2026-10-25", 4), ("2026-10-26", 1)]


async def test_a_session_over_the_switch_lasts_as_long_as_it_did(books: Books) -> None:
    (spring,) = await books.summed_up([session(utc(3, 29, 6), hours=6)], By.CHARGER, Period.DAY, BERLIN)
    (autumn,) = await books.summed_up([session(utc(10, 25, 6), hours=6)], By.CHARGER, Period.DAY, BERLIN)

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
async def test_a_session_belongs_to_the_period_of_its_stop(books: Books, zone: str, expected: str) -> None:
    new_year = session(utc(12, 31, 23, 30), hours=40)

    for period, length in ((Period.DAY, 10), (Period.MONTH, 7), (Period.YEAR, 4)):
        (line,) = await books.summed_up([new_year], By.CHARGER, period, ZoneInfo(zone))
        assert line.period == expected[:length]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
async def test_years_1_and_9999_have_days_everywhere(books: Books, zone: str) -> None:
    first = session(BEFORE_ALL, hours=0)
    last = session(AFTER_ALL, hours=0)._replace(started_at=BEFORE_ALL)

    lines = await books.summed_up([first, *[last] * 400], By.CHARGER, Period.DAY, ZoneInfo(zone))

    assert [line.period for line in lines] == ["0001-01-01", "9999-12-31"]
    assert grand_total(lines).sessions == 401
    assert grand_total(lines).duration == timedelta.max, "more than can be said"


async def test_implausible_sessions_are_only_counted(books: Books) -> None:
    (line,) = await books.summed_up(
        [session(utc(5, 1, 12)), session(utc(5, 1, 13), wh=-500, implausible=True)], By.CHARGER, Period.DAY, BERLIN
    )

    assert line.total == Total(sessions=1, energy_wh=1000, duration=timedelta(hours=1), implausible_sessions=1)


async def test_a_stop_before_its_start_lasts_no_time(books: Books) -> None:
    (line,) = await books.summed_up(
        [session(utc(5, 1, 12), hours=-2), session(utc(5, 1, 12))], By.CHARGER, Period.DAY, BERLIN
    )

    assert line.total.duration == timedelta(hours=1)


async def test_lines_come_by_period_then_subject_and_id_tags_without_regard_to_case(books: Books) -> None:
    sessions = [
        session(utc(5, 2, 12), id_tag="b"),
        session(utc(5, 2, 12), id_tag="Tag"),
        session(utc(5, 1, 12), id_tag="TAG"),
        session(utc(5, 2, 12), id_tag="TAG"),
    ]

    lines = await books.summed_up(sessions, By.ID_TAG, Period.DAY, BERLIN)

    assert [(line.period, line.subject, line.total.sessions) for line in lines] == [
        ("2026-05-01", "TAG", 1),
        ("2026-05-02", "b", 1),
        ("2026-05-02", "TAG", 2),
    ]
    assert grand_total(lines).sessions == 4
    of_one_day = await books.summed_up([sessions[1], sessions[3]], By.ID_TAG, Period.DAY, BERLIN)
    assert [line.subject for line in of_one_day] == ["Tag"], "as the first session spells it"


async def test_charge_points_are_compared_as_they_are(books: Books) -> None:
    lines = await books.summed_up(
        [session(utc(5, 1, 12), charger=charger) for charger in ("cp", "CP")], By.CHARGER, Period.YEAR, BERLIN
    )

    assert [line.subject for line in lines] == ["CP", "cp"]


async def test_what_is_left_out_and_what_a_person_says_in_its_place(books: Books) -> None:
    noon = utc(5, 1, 12)
    corrected = [session(noon, wh=0, implausible=True, corrected=4_000), session(noon, wh=7_000, corrected=2**62)]

    (line,) = await books.summed_up(
        [*corrected, session(noon), session(noon, implausible=True)], By.CHARGER, Period.DAY, BERLIN
    )

    assert (line.total.sessions, line.total.implausible_sessions) == (3, 1)
    assert line.total.energy_wh == pytest.approx(2**62 + 5_000)


async def test_many_sessions_in_steps_each_counted_once(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_STEP", 3)
    # Eight at each moment, more than a step takes: a moment is never torn apart.
    stops = [utc(3, 28 + number % 3, 22 + number % 2) for number in range(48)]
    sessions = [session(stop, charger=f"CP-{number % 4}") for number, stop in enumerate(stops)]

    lines = await books.summed_up(sessions, By.CHARGER, Period.DAY, BERLIN)

    by_day: dict[str, int] = {}
    for line in lines:
        by_day[line.period] = by_day.get(line.period, 0) + line.total.sessions
    assert by_day == {"2026-03-28": 8, "2026-03-29": 8, "2026-03-30": 16, "2026-03-31": 16}
    monkeypatch.setattr(reports, "MOST_LINES", 3)
    with pytest.raises(TooManyLines):
        await books.summed_up(sessions, By.CHARGER, Period.DAY, BERLIN)


async def test_since_is_within_and_until_is_not(books: Books) -> None:
    sessions = [session(utc(5, day, 0)) for day in (1, 2, 3)]

    lines = await books.summed_up(sessions, By.CHARGER, Period.DAY, UTC, utc(5, 2, 0), utc(5, 3, 0))

    assert [line.period for line in lines] == ["2026-05-02"]
