"""What the generated functions do, on a real database."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from tests.integration.tools.sites import OPENED, STORED, Modules, site


def test_every_type_comes_back_as_it_went(modules: Modules, queries: Any, connection: sqlite3.Connection) -> None:
    key = queries.add_site(**site(modules))

    expected = (key, *site(modules, opened_at=STORED).values())
    assert expected == tuple(queries.get_site(id=key))
    stored = connection.execute("SELECT kind, is_public, price, opened_at FROM sites").fetchone()
    assert stored == ("SuspendedEVSE", 1, "0.10", int(STORED.timestamp() * 1000))


def test_every_nullable_type_comes_back_as_it_went(modules: Modules, queries: Any) -> None:
    given = site(
        modules,
        past_kind=modules["enums"].SiteKind.DEPOT,
        is_lit=False,
        discount=Decimal("1E+2"),
        closed_at=STORED,
        area=None,
        photo=None,
    )
    key = queries.add_site(**given)

    expected = (key, *{**given, "opened_at": STORED}.values())
    assert expected == tuple(queries.get_site(id=key))


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_milliseconds_are_exact(modules: Modules, year: int) -> None:
    runtime = modules["sqlite.runtime"]
    moment = datetime(year, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)

    stored = runtime.to_milliseconds(moment)

    assert runtime.from_milliseconds(stored) == moment.replace(microsecond=999_000)


def test_a_time_without_zone_is_no_time(modules: Modules, queries: Any) -> None:
    with pytest.raises(TypeError):
        queries.add_site(**site(modules, opened_at=OPENED.replace(tzinfo=None)))


def test_one_gives_none_where_there_is_no_row(queries: Any) -> None:
    assert queries.get_site(id=1) is None
    assert queries.get_past_kind(id=1) is None
    assert queries.add_unknown_site(name="North").name == "North"
    assert queries.add_unknown_site(name="North") is None


def test_bare_values(modules: Modules, queries: Any) -> None:
    assert (queries.count_sites(), queries.has_site(name="North"), queries.last_opening()) == (0, False, None)

    key = queries.add_site(**site(modules, past_kind=modules["enums"].SiteKind.DEPOT))

    assert (queries.count_sites(), queries.has_site(name="North"), queries.last_opening()) == (1, True, STORED)
    assert queries.get_past_kind(id=key) is modules["enums"].SiteKind.DEPOT


def test_exec_execrows_and_execlastid(queries: Any) -> None:
    keys = [queries.add_bare_site(name=name) for name in ("North", "South")]

    assert queries.rename_site(name="East", id=keys[1]) is None
    assert queries.get_site(id=keys[1]).name == "East"
    assert queries.close_sites(closed_at=OPENED) == 2
    assert queries.close_sites(closed_at=OPENED) == 0
    assert queries.get_site(id=keys[0]).closed_at == STORED


def test_returning_many(modules: Modules, queries: Any) -> None:
    key = queries.add_bare_site(name="North")

    assert queries.drop_site(id=key) == [modules["models"].DropSiteRow(key, "North")]
    assert queries.drop_site(id=key) == []


def test_batch_counts_the_rows_that_changed(modules: Modules, queries: Any) -> None:
    params = modules["models"].AddReadingsParams
    key = queries.add_bare_site(name="North")
    batch = [params(key, OPENED, "1"), params(key, OPENED, "2"), params(key, OPENED + timedelta(seconds=1), "3")]

    assert queries.add_readings(iter(batch)) == 2
    assert queries.add_readings(batch) == 0
    assert queries.add_readings([]) == 0
    assert [(row.read_at, row.value) for row in queries.list_readings()] == [
        (STORED, "1"),
        (STORED + timedelta(seconds=1), "3"),
    ]
    assert queries.forget_readings([modules["models"].ForgetReadingsParams(key)]) == 2


def test_a_parameter_used_twice_is_given_once(modules: Modules, queries: Any) -> None:
    opened = queries.add_site(**site(modules))
    closed = queries.add_site(**site(modules, name="South", opened_at=STORED - timedelta(1), closed_at=OPENED))

    assert [row.id for row in queries.list_sites_by_time(moment=OPENED)] == [opened, closed]


@pytest.mark.parametrize(("chosen", "expected"), [((), []), ((0,), ["North"]), ((2, 0), ["North", "South"])])
def test_slices_of_any_length(modules: Modules, queries: Any, chosen: tuple[int, ...], expected: list[str]) -> None:
    keys = [queries.add_site(**site(modules, name=name)) for name in ("North", "East", "South")]
    kind = modules["enums"].SiteKind.SUSPENDED_EVSE

    rows = queries.list_sites_by_key(kind=kind, ids=[keys[i] for i in chosen], is_public=True)

    assert [row.name for row in rows] == expected


def test_slices_of_converted_values(modules: Modules, queries: Any) -> None:
    kind = modules["enums"].SiteKind
    queries.add_site(**site(modules))
    queries.add_site(**site(modules, name="South", kind=kind.DEPOT))

    assert queries.list_other_sites(kinds=[], moments=[OPENED]) == ["North", "South"]
    assert queries.list_other_sites(kinds=[kind.DEPOT], moments=[OPENED, STORED]) == ["North"]
    assert queries.list_other_sites(kinds=[kind.DEPOT], moments=[]) == []


def test_an_optional_filter(modules: Modules, queries: Any) -> None:
    kind = modules["enums"].SiteKind
    one = queries.add_site(**site(modules))
    two = queries.add_site(**site(modules, name="South", past_kind=kind.DEPOT))

    assert queries.list_sites_by_past_kind(past_kind=None) == [one, two]
    assert queries.list_sites_by_past_kind(past_kind=kind.DEPOT) == [two]


def test_a_page_by_row_value(modules: Modules, queries: Any) -> None:
    keys = [queries.add_site(**site(modules, name=name)) for name in ("North", "East", "South")]

    assert queries.list_sites_before(opened_at=OPENED, id=keys[2], page_size=1) == [keys[1]]


def test_sqlite_s_errors_come_through(queries: Any) -> None:
    queries.add_bare_site(name="North")

    with pytest.raises(sqlite3.IntegrityError):
        queries.add_bare_site(name="North")


async def test_readers_give_what_queries_give(modules: Modules, queries: Any, path: Path) -> None:
    kind = modules["enums"].SiteKind
    key = queries.add_site(**site(modules, past_kind=kind.DEPOT))
    queries.add_readings([modules["models"].AddReadingsParams(key, OPENED, "7.5")])
    calls: list[tuple[str, dict[str, object]]] = [
        ("get_site", {"id": key}),
        ("get_site", {"id": key + 1}),
        ("list_sites_by_time", {"moment": OPENED}),
        ("list_sites_by_key", {"kind": kind.SUSPENDED_EVSE, "ids": [key], "is_public": True}),
        ("list_other_sites", {"kinds": [kind.DEPOT], "moments": [OPENED]}),
        ("list_sites_by_past_kind", {"past_kind": kind.DEPOT}),
        ("list_readings", {}),
        ("list_sites_before", {"opened_at": OPENED, "id": key + 1, "page_size": 5}),
        ("count_sites", {}),
        ("has_site", {"name": "North"}),
        ("last_opening", {}),
        ("get_past_kind", {"id": key}),
        ("sum_up", {}),
    ]

    async with aiosqlite.connect(path) as reading:
        readers = modules["sqlite.readers"].SqliteReaders(reading)
        for name, arguments in calls:
            assert await getattr(readers, name)(**arguments) == getattr(queries, name)(**arguments)
    offered = {name for name in vars(modules["readers"].Readers) if not name.startswith("_")}
    assert {name for name, _ in calls} == offered  # those that the options list, ListPeaks isn't among them


def test_a_query_called_on_the_protocol_itself_fails(modules: Modules, queries: Any) -> None:
    with pytest.raises(NotImplementedError):
        modules["queries"].Queries.count_sites(queries)


async def test_a_reader_called_on_the_protocol_itself_fails(modules: Modules) -> None:
    with pytest.raises(NotImplementedError):
        await modules["readers"].Readers.count_sites(object())
