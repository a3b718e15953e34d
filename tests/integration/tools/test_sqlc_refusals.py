"""What is refused, and that the message names the place and a spelling that works."""

from __future__ import annotations

import pytest

from tests.integration.tools.workbench import Workbench

ADD_READING = "INSERT INTO readings (site_id, read_at, value) VALUES (@site_id, @read_at, @value)"
ADD_SITE = "INSERT INTO sites (name, kind, is_public, price, opened_at) VALUES (@name, 'Depot', 0, '', 0)"

# Name of the query, its command and SQL, what stands in the line about it, and SQL that is accepted instead.
REFUSED = [
    (
        "Aggregate",
        ":one",
        "SELECT max(opened_at) AS newest FROM sites",
        "newest: its type isn't certain: say it, as in CAST(max(opened_at) AS INTEGER) AS newest",
        "SELECT CAST(max(opened_at) AS INTEGER) AS newest FROM sites",
    ),
    (
        "Coalesce",
        ":many",
        "SELECT id, coalesce(area, 0) AS room FROM sites",
        "room: its type isn't certain: say it, as in CAST(coalesce(area, 0) AS INTEGER) AS room",
        "SELECT id, CAST(coalesce(area, 0) AS REAL) AS room FROM sites",
    ),
    (
        "ScalarSubquery",
        ":many",
        "SELECT s.id, (SELECT r.value FROM readings AS r WHERE r.site_id = s.id) AS reading FROM sites s",
        "reading: its type isn't certain: say it, as in CAST((SELECT r.value FROM readings AS r",
        "SELECT s.id, CAST((SELECT r.value FROM readings r WHERE r.site_id = s.id) AS TEXT) AS reading FROM sites s",
    ),
    (
        "Arithmetic",
        ":many",
        "SELECT id, area * 1.5 AS more FROM sites",
        "more: its type isn't certain: say it, as in CAST(area * 1.5 AS INTEGER) AS more",
        "SELECT id, CAST(area * 1.5 AS REAL) AS more FROM sites",
    ),
    (
        "Nameless",
        ":many",
        "SELECT id, CAST(area AS REAL) FROM sites",
        "area: an expression beside other columns needs a name: use AS",
        "SELECT id, CAST(area AS REAL) AS area FROM sites",
    ),
    (
        "SameName",
        ":many",
        "SELECT a.id, b.id FROM sites AS a JOIN sites AS b ON b.id = a.id",
        "id: 2 columns have this name: use AS",
        "SELECT a.id, b.id AS other_id FROM sites AS a JOIN sites AS b ON b.id = a.id",
    ),
    (
        "DerivedTable",
        ":many",
        "SELECT r.amount FROM sites s LEFT JOIN (SELECT site_id, 1 AS amount FROM readings) r ON r.site_id = s.id",
        "amount: a subquery in FROM or WITH hides whether it can be NULL",
        "SELECT name, amount FROM site_readings",
    ),
    (
        "CommonTable",
        ":many",
        "WITH newest AS (SELECT name FROM sites) SELECT name FROM newest",
        "name: a subquery in FROM or WITH hides whether it can be NULL",
        "WITH newest AS (SELECT name FROM sites) SELECT CAST(newest.name AS TEXT) AS name FROM newest",
    ),
    (
        "UntypedInView",
        ":many",
        "SELECT name, untyped FROM site_readings",
        "untyped: its type isn't certain: say it, as in CAST(max(r.value) AS INTEGER) AS untyped",
        "SELECT name, peak FROM site_readings",
    ),
    (
        "Compound",
        ":many",
        "SELECT name FROM sites UNION SELECT value FROM readings",
        "UNION, EXCEPT and INTERSECT hide which columns can be NULL: write one query for each part",
        "SELECT name FROM sites",
    ),
    (
        "InnerBehindLeft",
        ":many",
        "SELECT r.value FROM sites a LEFT JOIN readings r ON r.site_id = a.id JOIN sites b ON b.id = a.id",
        "value: sqlc forgets NULLs of a LEFT JOIN that isn't last, of RIGHT and FULL JOIN",
        "SELECT r.value FROM sites a JOIN sites b ON b.id = a.id LEFT JOIN readings r ON r.site_id = a.id",
    ),
    (
        "RightJoin",
        ":many",
        "SELECT r.value FROM sites s RIGHT JOIN readings r ON r.site_id = s.id",
        "value: sqlc forgets NULLs of a LEFT JOIN that isn't last, of RIGHT and FULL JOIN",
        "SELECT r.value FROM readings r LEFT OUTER JOIN sites s ON r.site_id = s.id LEFT JOIN sites t USING (id)",
    ),
    (
        "Embedded",
        ":many",
        "SELECT s.id, sqlc.embed(r) FROM sites AS s JOIN readings AS r ON r.site_id = s.id",
        "sqlc.embed isn't generated here: name the columns, or make a view",
        "SELECT s.id, r.value FROM sites AS s JOIN readings AS r ON r.site_id = s.id",
    ),
    (
        "NargFirst",
        ":many",
        "SELECT id FROM sites WHERE sqlc.narg(past_kind) IS NULL OR past_kind = sqlc.narg(past_kind)",
        "@past_kind: sqlc finds no type: say it, as in CAST(@past_kind AS INTEGER), or put a column before it first:",
        "SELECT id FROM sites WHERE past_kind = sqlc.narg(past_kind) OR sqlc.narg(past_kind) IS NULL",
    ),
    (
        "RowValue",
        ":many",
        "SELECT id FROM sites WHERE (opened_at, id) < (@opened_at, @id)",
        "@id: sqlc guesses the type of sites.opened_at: say it, as in CAST(@id AS INTEGER)",
        "SELECT id FROM sites WHERE (opened_at, id) < (@opened_at, CAST(@id AS INTEGER))",
    ),
    (
        "Between",
        ":many",
        "SELECT id FROM sites WHERE opened_at BETWEEN @since AND @until",
        "@since: sqlc guesses the type of sites.?: say it, as in CAST(@since AS INTEGER), or compare a column with it",
        "SELECT id FROM sites WHERE opened_at >= @since AND opened_at <= @until",
    ),
    (
        "Duration",
        ":many",
        "SELECT id FROM sites WHERE closed_at - opened_at > @duration",
        "@duration: sqlc guesses the type of sites.closed_at: say it, as in CAST(@duration AS INTEGER)",
        "SELECT id FROM sites WHERE closed_at - opened_at > CAST(@duration AS INTEGER)",
    ),
    (
        "Later",
        ":exec",
        "UPDATE sites SET opened_at = opened_at + @delay",
        "@delay: sqlc guesses the type of sites.opened_at: say it, as in CAST(@delay AS INTEGER)",
        "UPDATE sites SET opened_at = opened_at + CAST(@delay AS INTEGER)",
    ),
    (
        "Length",
        ":many",
        "SELECT id FROM sites WHERE length(name) > @length",
        "@length: sqlc guesses the type of sites.name",
        "SELECT id FROM sites WHERE length(name) > CAST(@length AS INTEGER)",
    ),
    (
        "Condition",
        ":exec",
        "UPDATE sites SET name = CASE WHEN @renamed THEN @name ELSE name END",
        "@renamed: sqlc guesses the type of sites.name: say it",
        "UPDATE sites SET name = CASE WHEN CAST(@renamed AS INTEGER) THEN CAST(@name AS TEXT) ELSE name END",
    ),
    (
        "Greatest",
        ":exec",
        "UPDATE sites SET opened_at = max(opened_at, @opened_at)",
        "@opened_at: sqlc finds no type: say it, as in CAST(@opened_at AS INTEGER)",
        "UPDATE sites SET opened_at = max(opened_at, CAST(@opened_at AS INTEGER))",
    ),
    (
        "NamedInConflict",
        ":exec",
        f"{ADD_READING} ON CONFLICT (site_id, read_at) DO UPDATE SET value = @value",
        "sqlc leaves @value in ON CONFLICT as it is: write excluded.column",
        f"{ADD_READING} ON CONFLICT (site_id, read_at) DO UPDATE SET value = excluded.value",
    ),
    (
        "ArgInConflict",
        ":exec",
        f"{ADD_READING} ON CONFLICT (site_id, read_at) DO UPDATE SET value = sqlc.arg(value)",
        "sqlc leaves sqlc.arg in ON CONFLICT as it is: write excluded.column",
        f"{ADD_READING} ON CONFLICT (site_id, read_at) DO UPDATE SET value = excluded.value",
    ),
    (
        "Anonymous",
        ":many",
        "SELECT id FROM sites WHERE opened_at >= ? AND opened_at < ?",
        "name every parameter: @name instead of ?",
        "SELECT id FROM sites WHERE opened_at >= @since AND opened_at < @until",
    ),
    (
        "ListedParameters",
        ":many",
        "SELECT id FROM sites WHERE name IN (@one, @other)",
        "sqlc gives several parameters in IN (…) one number: use IN (sqlc.slice(names))",
        "SELECT id FROM sites WHERE name IN (sqlc.slice(names))",
    ),
    (
        "NoSuchKey",
        ":exec",
        f"{ADD_READING} ON CONFLICT (value) DO NOTHING",
        "SQLite can't prepare it: ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint",
        f"{ADD_READING} ON CONFLICT (site_id, read_at) DO NOTHING",
    ),
    (
        "Dropped",
        ":exec",
        "DELETE FROM sites WHERE id = @id RETURNING id",
        ":exec would drop the rows that it gives: use :one or :many",
        "DELETE FROM sites WHERE id = @id",
    ),
    *[
        (
            f"StaleId{number}",
            ":execlastid",
            sql,
            ":execlastid gives an earlier id where no row with a rowid was inserted: use :one, RETURNING",
            ADD_SITE,
        )
        for number, sql in enumerate(
            [
                ADD_READING,
                f"{ADD_SITE} ON CONFLICT DO NOTHING",
                f"{ADD_SITE} ON CONFLICT (name) DO UPDATE SET is_public = 1",
                "UPDATE sites SET name = @name",
            ]
        )
    ],
    (
        "BatchOfSlices",
        ":batchexec",
        "DELETE FROM sites WHERE id IN (sqlc.slice(ids))",
        "@ids: :batchexec takes no slice",
        "DELETE FROM sites WHERE id = @id",
    ),
    (
        "BlobSlice",
        ":many",
        "SELECT id FROM sites WHERE photo IN (sqlc.slice(photos))",
        "@photos: a slice can't hold BLOBs, since it travels as JSON",
        "SELECT id FROM sites WHERE photo = @photo",
    ),
    *[
        (f"Command{word}", f":{word}", "SELECT id FROM sites WHERE id = @id", f":{word} isn't generated here", None)
        for word in ("batchone", "batchmany", "execresult")
    ],
    (
        "CommandCopyfrom",
        ":copyfrom",
        ADD_READING,
        ":copyfrom isn't generated here: use one of :one :many :exec :execrows :execlastid :batchexec",
        None,
    ),
]


def written(name: str, command: str, sql: str) -> str:
    return f"-- What {name} does.\n-- name: {name} {command}\n{sql};\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(tmp_path_factory.mktemp("sqlc"))


def test_each_is_refused_in_a_line_that_says_how_to_write_it(
    bench: Workbench, capfd: pytest.CaptureFixture[str]
) -> None:
    queries = "\n".join(written(name, command, sql) for name, command, sql, _, _ in REFUSED)

    assert bench.generate(queries) == 1

    lines = capfd.readouterr().err.splitlines()
    for name, _, _, message, _ in REFUSED:
        about = [line for line in lines if line.startswith(f"all.sql: {name}: ")]
        assert about
        assert about[0].startswith(f"all.sql: {name}: {message}")


def test_the_other_spelling_is_accepted(bench: Workbench, capfd: pytest.CaptureFixture[str]) -> None:
    queries = "\n".join(written(name, command, other) for name, command, _, _, other in REFUSED if other)

    assert (bench.generate(queries, {"types": {"sites.past_kind": "Kind"}, "enums": {"Kind": ["a"]}}), "") == (
        0,
        capfd.readouterr().err,
    )


@pytest.mark.parametrize("comment", ["", "-- a heading", "-- Half a"], ids=["none", "no sentence", "unfinished"])
def test_a_query_says_what_it_does(bench: Workbench, comment: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert bench.generate(f"{comment}\n-- name: Silent :one\nSELECT name FROM sites;\n", {}) == 1

    assert "all.sql: Silent: needs a comment above it that says in a sentence" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"types": {"sites.name": "datetime"}}, "name: datetime is stored as INTEGER, and this is TEXT"),
        ({"types": {"sites.name": "date"}}, "name: options name the unknown type date"),
        (
            {"types": {"*.name": "A", "sites.n*": "B"}, "enums": {"A": ["x"], "B": ["y"]}},
            "options give several types: A, B",
        ),
        ({"types": {"sites.nmae": "decimal"}}, "types.sites.nmae fits no column"),
        ({"models": {"site": "Site"}}, "models.site names no table"),
        ({"readers": ["ListSties"]}, "readers: ListSties is no query that only reads"),
        (
            {"types": {"sites.name": "ListSitesRow"}, "enums": {"ListSitesRow": ["x"]}},
            "2 classes would be named ListSitesRow",
        ),
        ({"enums": {"Kind": ["x"]}}, "enums.Kind is the type of no column"),
        ({"nullable": []}, "Extra inputs are not permitted"),
    ],
)
def test_options_that_mean_nothing(
    bench: Workbench, options: dict[str, object], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert bench.generate(written("ListSites", ":many", "SELECT id, name FROM sites"), options) == 1

    assert message in capfd.readouterr().err


def test_sqlc_s_own_message_comes_through_and_nothing_is_written(
    bench: Workbench, capfd: pytest.CaptureFixture[str]
) -> None:
    good = written("ListNames", ":many", "SELECT name FROM sites")
    assert bench.generate(good, {}) == 0
    before = bench.files()

    assert bench.generate(good + written("ListColours", ":many", "SELECT colour FROM sites"), {}) == 1

    assert 'column "colour" does not exist' in capfd.readouterr().err
    assert bench.files() == before


def test_text_that_sqlc_would_garble(bench: Workbench, capfd: pytest.CaptureFixture[str]) -> None:
    assert bench.generate("-- As § 3 says.\n-- name: ListNames :many\nSELECT name FROM sites;\n") == 1

    assert "all.sql:1: sqlc garbles queries behind a character that isn't ASCII" in capfd.readouterr().err


def test_the_same_queries_give_the_same_bytes_and_no_other_files(bench: Workbench) -> None:
    queries = written("ListNames", ":many", "SELECT name FROM sites")
    assert bench.generate(queries, {}) == 0
    before = bench.files()
    (bench.output / "old.py").write_text("")

    assert bench.generate(queries, {}) == 0

    assert bench.files() == before
    assert {path.name for path in bench.root.iterdir()} == {"schema.sql", "queries", "sqlc.yaml", "shelf"}


def test_class_names_from_options(bench: Workbench) -> None:
    assert bench.generate(written("ListSites", ":many", "SELECT * FROM sites"), {"models": {"sites": "Place"}}) == 0

    assert b"-> list[Place]:" in bench.files()["queries.py"]
