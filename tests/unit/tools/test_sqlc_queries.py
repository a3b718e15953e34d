"""What the generated functions do, on a real database."""

from __future__ import annotations

import inspect
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, astuple
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import aiosqlite
import pytest

from tests.unit.tools.workbench import Workbench, connect

QUERIES = """
-- Add a site.
-- Gives its key.
-- name: AddSite :one
INSERT INTO sites (name, kind, past_kind, is_public, is_lit, price, discount, opened_at, closed_at, area, photo)
VALUES (@name, @kind, @past_kind, @is_public, @is_lit, @price, @discount, @opened_at, @closed_at, @area, @photo)
RETURNING id;

-- Add a site of which little is known, unless it is there.
-- name: AddUnknownSite :one
INSERT INTO sites (name, kind, is_public, price, opened_at) VALUES (@name, 'Depot', 0, '0', 0)
ON CONFLICT DO NOTHING RETURNING *;

-- Add a site by its name only.
-- name: AddBareSite :execlastid
INSERT INTO sites (name, kind, is_public, price, opened_at) VALUES (@name, 'Depot', 0, '0', 0);

-- Rename a site.
-- name: RenameSite :exec
UPDATE sites SET name = @name WHERE id = @id;

-- Close all sites that are open.
-- name: CloseSites :execrows
UPDATE sites SET closed_at = @closed_at WHERE closed_at IS NULL;

-- Drop a site; gives what it was.
-- name: DropSite :many
DELETE FROM sites WHERE id = @id RETURNING id, name;

-- Add readings; a repeat changes nothing.
-- name: AddReadings :batchexec
INSERT INTO readings (site_id, read_at, value) VALUES (@site_id, @read_at, @value) ON CONFLICT DO NOTHING;

-- Forget the readings of sites.
-- name: ForgetReadings :batchexec
DELETE FROM readings WHERE site_id = @site_id;

-- One site.
-- name: GetSite :one
SELECT * FROM sites WHERE id = @id;

-- Sites that opened or closed at a time.
-- name: ListSitesByTime :many
SELECT * FROM sites WHERE opened_at = @moment OR closed_at = @moment ORDER BY id;

-- Sites by key.
-- name: ListSitesByKey :many
SELECT id, name FROM sites WHERE kind = @kind AND id IN (sqlc.slice(ids)) AND is_public = @is_public ORDER BY id;

-- Sites of none of the kinds that opened at one of the times.
-- name: ListOtherSites :many
SELECT name FROM sites WHERE kind NOT IN (sqlc.slice(kinds)) AND opened_at IN (sqlc.slice(moments)) ORDER BY id;

-- Sites, of one past kind where it is given.
-- name: ListSitesByPastKind :many
SELECT id FROM sites WHERE past_kind = sqlc.narg(past_kind) OR sqlc.narg(past_kind) IS NULL ORDER BY id;

-- Sites with their readings, where there are any.
-- name: ListReadings :many
SELECT s.name, r.read_at, r.value FROM sites AS s LEFT JOIN readings AS r ON r.site_id = s.id ORDER BY s.id, r.read_at;

-- A page of sites from the newest.
-- name: ListSitesBefore :many
SELECT id FROM sites WHERE (opened_at, id) < (@opened_at, CAST(@id AS INTEGER))
ORDER BY opened_at DESC, id DESC LIMIT @page_size;

-- How many sites there are.
-- name: CountSites :one
SELECT count(*) FROM sites;

-- Whether there is a site of that name.
-- name: HasSite :one
SELECT EXISTS (SELECT 1 FROM sites WHERE name = @name);

-- When the last site opened.
-- name: LastOpening :one
SELECT CAST(max(opened_at) AS INTEGER) AS last_opened_at FROM sites;

-- The past kind of a site.
-- name: GetPastKind :one
SELECT past_kind FROM sites WHERE id = @id;

-- How much room there is.
-- name: SumUp :one
SELECT count(*) AS amount, CAST(coalesce(sum(area), 0) AS REAL) AS room,
    CAST(min(name) AS TEXT) AS least_name FROM sites;

-- Each site's name in the view.
-- name: ListPeaks :many
SELECT name, read_at, amount, peak FROM site_readings ORDER BY name;
"""

OPENED = datetime(2026, 3, 29, 1, 59, 59, 987_654, tzinfo=timezone(timedelta(hours=2)))
STORED = datetime(2026, 3, 28, 23, 59, 59, 987_000, tzinfo=UTC)

Modules = dict[str, ModuleType]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    bench = Workbench(tmp_path_factory.mktemp("sqlc"))
    assert bench.generate(QUERIES) == 0
    return bench


@pytest.fixture(scope="module")
def modules(bench: Workbench) -> Iterator[Modules]:
    with bench.package() as modules:
        yield modules


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(path)
    yield connection
    connection.close()


@pytest.fixture
def queries(modules: Modules, connection: sqlite3.Connection) -> Any:
    return modules["queries"].Queries(connection)


def site(modules: Modules, **changes: object) -> dict[str, object]:
    kind = modules["enums"].SiteKind.SUSPENDED_EVSE
    return {
        "name": "North",
        "kind": kind,
        "past_kind": None,
        "is_public": True,
        "is_lit": None,
        "price": Decimal("0.10"),
        "discount": None,
        "opened_at": OPENED,
        "closed_at": None,
        "area": 2.5,
        "photo": b"\x00\xff",
        **changes,
    }


def test_types_of_a_table(modules: Modules) -> None:
    kind = modules["enums"].SiteKind

    expected = {
        "id": int,
        "name": str,
        "kind": kind,
        "past_kind": kind | None,
        "is_public": bool,
        "is_lit": bool | None,
        "price": Decimal,
        "discount": Decimal | None,
        "opened_at": datetime,
        "closed_at": datetime | None,
        "area": float | None,
        "photo": bytes | None,
    }
    assert expected == get_type_hints(modules["models"].Site)


@pytest.mark.parametrize(
    ("query", "returned"),
    [
        ("add_site", "int"),
        ("add_unknown_site", "Site | None"),
        ("add_bare_site", "int"),
        ("rename_site", "None"),
        ("close_sites", "int"),
        ("drop_site", "list[DropSiteRow]"),
        ("add_readings", "int"),
        ("get_site", "Site | None"),
        ("list_sites_by_time", "list[Site]"),
        ("list_sites_by_past_kind", "list[int]"),
        ("count_sites", "int"),
        ("has_site", "bool"),
        ("last_opening", "datetime | None"),
        ("get_past_kind", "SiteKind | None"),
        ("sum_up", "SumUpRow"),
    ],
)
def test_returned_type(modules: Modules, query: str, returned: str) -> None:
    signature = inspect.signature(getattr(modules["queries"].Queries, query))

    assert returned == signature.return_annotation


@pytest.mark.parametrize(
    ("query", "parameter", "annotation"),
    [
        ("add_site", "closed_at", "datetime | None"),
        ("add_site", "opened_at", "datetime"),
        ("rename_site", "id", "int"),
        ("list_sites_by_time", "moment", "datetime"),
        ("list_sites_by_key", "ids", "Sequence[int]"),
        ("list_other_sites", "kinds", "Sequence[SiteKind]"),
        ("list_sites_by_past_kind", "past_kind", "SiteKind | None"),
        ("list_sites_before", "opened_at", "datetime"),
        ("list_sites_before", "id", "int"),
        ("list_sites_before", "page_size", "int"),
        ("add_readings", "rows", "Iterable[AddReadingsParams]"),
    ],
)
def test_parameter_type(modules: Modules, query: str, parameter: str, annotation: str) -> None:
    signature = inspect.signature(getattr(modules["queries"].Queries, query))

    assert annotation == signature.parameters[parameter].annotation


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("ListReadingsRow", {"name": str, "read_at": datetime | None, "value": str | None}),
        ("SumUpRow", {"amount": int, "room": float, "least_name": str | None}),
        ("ListPeaksRow", {"name": str, "read_at": datetime | None, "amount": int, "peak": float | None}),
        ("AddReadingsParams", {"site_id": int, "read_at": datetime, "value": str}),
    ],
)
def test_types_of_a_row(modules: Modules, row: str, expected: dict[str, object]) -> None:
    assert expected == get_type_hints(getattr(modules["models"], row))


def test_a_row_is_frozen_and_carries_nothing_else(modules: Modules) -> None:
    row = modules["models"].DropSiteRow(id=1, name="North")

    with pytest.raises(FrozenInstanceError):
        row.name = "South"
    assert not hasattr(row, "__dict__")


def test_members_of_an_enum(modules: Modules) -> None:
    members = {member.name: member.value for member in modules["enums"].SiteKind}

    assert members == {"CAR_PARK": "car-park", "DEPOT": "Depot", "SUSPENDED_EVSE": "SuspendedEVSE"}


def test_docstring_is_the_comment(modules: Modules) -> None:
    assert inspect.getdoc(modules["queries"].Queries.add_site) == "Add a site.\nGives its key."


def test_every_type_comes_back_as_it_went(modules: Modules, queries: Any, connection: sqlite3.Connection) -> None:
    key = queries.add_site(**site(modules))

    expected = (key, *site(modules, opened_at=STORED).values())
    assert expected == astuple(queries.get_site(id=key))
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
    assert expected == astuple(queries.get_site(id=key))


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_milliseconds_are_exact(modules: Modules, year: int) -> None:
    runtime = modules["runtime"]
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
    readers, kind = modules["readers"], modules["enums"].SiteKind
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
        ("list_peaks", {}),
    ]

    async with aiosqlite.connect(path) as reading:
        for name, arguments in calls:
            assert await getattr(readers, name)(reading, **arguments) == getattr(queries, name)(**arguments)
    made_here = {name for name, made in vars(readers).items() if getattr(made, "__module__", "") == readers.__name__}
    assert {name for name, _ in calls} == made_here


def test_generated_code_is_strictly_typed(bench: Workbench) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--disallow-any-explicit", "--config-file=", "--cache-dir"]
    checked = subprocess.run(
        [*command, str(bench.root / "cache"), str(bench.output)], capture_output=True, text=True, check=False
    )

    assert (checked.stdout.splitlines()[-1:], checked.returncode) == (
        ["Success: no issues found in 7 source files"],
        0,
    )
