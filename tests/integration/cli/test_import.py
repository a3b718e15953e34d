"""`mcpp import`: CSV in, each line that can't be used told."""

from __future__ import annotations

import sqlite3
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from mcpp.domain import id_tags
from mcpp.domain.charge_points import Wanted, put_charge_point
from mcpp.domain.people import held_now
from mcpp.server.passwords import password_matches
from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.db.models import IdTag
from tests.database import Database
from tests.integration.cli.command import COMMAND, Ended, Mcpp, clean_environment

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
LAST_SECOND = NEW_YEAR - timedelta(seconds=1)


def tags(database: Database) -> dict[str, IdTag]:
    return {tag.id_tag: tag for tag in database.q.list_all_id_tags()}


def test_id_tags_while_a_server_has_the_database(mcpp: Mcpp, database: Database) -> None:
    file = """\
id_tag,status,expiry_date,parent_id_tag,note
TAG-1,Accepted,2026-12-31T23:00:00+01:00,FLEET,"Ann, van 7"
TAG-2,blocked,,,
TAG-3,,2026-12-31,,"a ""good"" one"
"""
    ended = mcpp("import", "id-tags", "-", stdin=file)

    assert ended == Ended(0, "-: 3 added, 0 changed, 0 refused\n", "")
    assert tags(database) == {
        "TAG-1": IdTag(
            "TAG-1", IdTagStatus.ACCEPTED, datetime(2026, 12, 31, 22, tzinfo=UTC), "FLEET", "Ann, van 7", None
        ),
        "TAG-2": IdTag("TAG-2", IdTagStatus.BLOCKED, None, None, None, None),
        "TAG-3": IdTag("TAG-3", IdTagStatus.ACCEPTED, LAST_SECOND, None, 'a "good" one', None),
    }


def test_what_the_file_does_not_say_stays_as_stored(mcpp: Mcpp, database: Database) -> None:
    id_tags.put(database.q, id_tags.StoredTag("Tag-1", IdTagStatus.BLOCKED, NEW_YEAR, "FLEET", "lost"))

    ended = mcpp("import", "id-tags", "-", stdin="note;ID Tag\nfound;TAG-1\n;TAG-2\n")

    assert ended == Ended(0, "-: 1 added, 1 changed, 0 refused\n", "")
    assert tags(database) == {
        "TAG-1": IdTag("TAG-1", IdTagStatus.BLOCKED, NEW_YEAR, "FLEET", "found", None),
        "TAG-2": IdTag("TAG-2", IdTagStatus.ACCEPTED, None, None, None, None),
    }


def test_people_with_cards_and_prices(mcpp: Mcpp, database: Database) -> None:
    file = "Id;Name;Cards;Price per kWh;Note\nflat-2b;Ann;TAG-1, TAG-2;0,295;\nflat-3;Bob;TAG-3;;van\n"
    assert mcpp("import", "people", "-", stdin=file) == Ended(0, "-: 2 added, 0 changed, 0 refused\n", "")
    file = "id,name,cards\nflat-2b,Ann B.,TAG-2\nflat-4,Cem,TAG-3\nflat 5,Dee,\nflat-6,,\n"
    ended = mcpp("import", "people", "-", stdin=file)

    assert (ended.code, ended.out) == (1, "-: 0 added, 1 changed, 3 refused\n")
    unfit, nameless, taken = ended.err.splitlines()
    assert unfit.startswith("line 4: id 'flat 5' should be 1 to 64 of the letters")
    assert nameless == "line 5: name is empty"
    assert taken.startswith("line 3: card 'TAG-3' belongs to 'flat-3' (Bob); take it from them")
    people = {person.id: person for person in database.q.list_all_people()}
    assert {person.id: (person.name, person.note) for person in people.values()} == {
        "flat-2b": ("Ann B.", None),
        "flat-3": ("Bob", "van"),
    }
    assert held_now(database.q, "flat-2b") == ["TAG-2"]
    assert [price.price_per_kwh for price in database.q.list_prices_of_person(person_id="flat-2b")] == [
        Decimal("0.295")
    ]
    assert set(tags(database)) == {"TAG-1", "TAG-2", "TAG-3"}


def test_a_table_of_steve(mcpp: Mcpp, database: Database) -> None:
    file = (
        '"ocpp_tag_pk","id_tag","parent_id_tag","expiry_date","max_active_transaction_count","note"\r\n'
        '1,"TAG-1",NULL,"2026-12-31 23:59:59.000000",1,"Ann"\r\n'
        '2,"TAG-2","TAG-1",NULL,0,NULL\r\n'
        '3,"TAG-3","\\N","\\N",-1,"\\N"\r\n'
    )
    ended = mcpp("import", "id-tags", "-", stdin=file)

    assert ended == Ended(0, "-: 3 added, 0 changed, 0 refused\n", "not used: ocpp_tag_pk\n")
    assert tags(database) == {
        "TAG-1": IdTag("TAG-1", IdTagStatus.ACCEPTED, LAST_SECOND, None, "Ann", None),
        "TAG-2": IdTag("TAG-2", IdTagStatus.BLOCKED, None, "TAG-1", None, None),
        "TAG-3": IdTag("TAG-3", IdTagStatus.ACCEPTED, None, None, None, None),
    }


def test_a_file_of_a_spreadsheet(mcpp: Mcpp, database: Database) -> None:
    rows = ["id_tag;note;status", "TAG-1;Süd, Tor 3;Accepted", ";;", "", 'TAG-2;"two\r\nlines";Expired', ";;;", ""]
    (mcpp.directory / "tags.csv").write_bytes("\r\n".join(rows).encode("utf-8-sig"))

    assert mcpp("import", "id-tags", "tags.csv") == Ended(0, "tags.csv: 2 added, 0 changed, 0 refused\n", "")
    assert {tag.note for tag in tags(database).values()} == {"Süd, Tor 3", "two\r\nlines"}


def test_each_refused_line_is_told_and_the_others_are_stored(mcpp: Mcpp, database: Database) -> None:
    file = b"""
id_tag,status,expiry_date,parent_id_tag,note
TAG-1,Acepted,,,
,Accepted,,,
TAG-2,,12/01/2027,,
TAG-3,,,A-PARENT-OF-21-LETTERS,
TAG-4,,,,"two \xc3\xbcber
lines"
tag-4,,,,
TAG-5,,,,a,b
\xff\xfe,,,,
TAG-6\x1b,,,,
TAG-7,,,,"a "quoted" note"
TAG-8,,0001-01-01T00:00:00+01:00,,
TAG-9,,,,
"""
    ended = mcpp("import", "id-tags", "-", stdin=file)

    assert (ended.code, ended.out) == (1, "-: 2 added, 0 changed, 10 refused\n")
    assert ended.err.splitlines() == [
        "line 3: status 'Acepted' is not one of Accepted, Blocked, Expired, Invalid; did you mean Accepted?",
        "line 4: id_tag is empty",
        "line 5: expiry_date '12/01/2027' is no time; write 2026-03-29 or 2026-03-29T12:00:00Z",
        "line 6: parent_id_tag has 22 characters, 20 at most",
        "line 9: tag-4 stands in line 7 already; take one of them out",
        "line 10: 6 cells under 5 columns; put a cell with a delimiter into quotes",
        "line 11: not UTF-8; save the file in that encoding",
        "line 12: id_tag 'TAG-6\\x1b' has characters that can't be printed",
        "line 13: not CSV: ',' expected after '\"'; quotes around a cell must be closed, those within it doubled",
        "line 14: expiry_date '0001-01-01T00:00:00+01:00' is no time; write 2026-03-29 or 2026-03-29T12:00:00Z",
    ]
    assert set(tags(database)) == {"TAG-4", "TAG-9"}


def test_a_quote_that_is_never_closed(mcpp: Mcpp, database: Database) -> None:
    ended = mcpp("import", "id-tags", "-", stdin='id_tag,note\nTAG-1,a\nTAG-2,"b\nTAG-3,c\n')

    assert (ended.code, ended.out) == (1, "-: 1 added, 0 changed, 1 refused\n")
    assert ended.err.startswith("line 3: not CSV: unexpected end of data; quotes around a cell must be closed")
    assert set(tags(database)) == {"TAG-1"}


def test_dry_run_writes_nothing(mcpp: Mcpp, database: Database) -> None:
    ended = mcpp("import", "id-tags", "-", "--dry-run", stdin="id_tag,status\nTAG-1,\nTAG-2,Open\n")

    assert (ended.code, ended.out) == (1, "-: 1 can be stored, 1 refused\n")
    assert ended.err.startswith("line 3: status 'Open'")
    assert tags(database) == {}


def test_a_server_that_commits_without_a_pause_lets_the_lines_in(mcpp: Mcpp, database: Database) -> None:
    (mcpp.directory / "tags.csv").write_text("".join(["id_tag\n", *(f"TAG-{number}\n" for number in range(5_000))]))
    written = 0

    with subprocess.Popen(
        [*COMMAND, "import", "id-tags", "tags.csv"], cwd=mcpp.directory, env=clean_environment(), stdout=subprocess.PIPE
    ) as running:
        while running.poll() is None:
            database.session(started_at=NEW_YEAR + timedelta(seconds=written), meter_start=written)
            written += 1
        assert running.stdout is not None
        assert running.stdout.read() == b"tags.csv: 5000 added, 0 changed, 0 refused\n"

    assert running.returncode == 0
    assert len(tags(database)) == 5_000
    assert database.connection.execute("SELECT count(*) FROM transactions").fetchone() == (written,)


def test_charge_points(mcpp: Mcpp, database: Database) -> None:
    put_charge_point(database.q, "CP-2", Wanted(display_name="Gate", auto_start=True, password_hash="kept"), NEW_YEAR)
    file = """\
charge_point_id,display_name,password,auto_start
CP-1,Süd 1, blanks belong to it ,on
CP-2,,,
CP-3,Depot,,off
"""
    ended = mcpp("import", "charge-points", "-", stdin=file)

    assert ended == Ended(0, "-: 2 added, 1 changed, 0 refused\n", "")
    first, second, third = database.q.get_charge_points(identities=["CP-1", "CP-2", "CP-3"])
    assert (first.display_name, first.auto_start) == ("Süd 1", True)
    assert first.password_hash is not None
    assert password_matches(first.password_hash, b" blanks belong to it ")
    # A password can't be taken away by a cell that says nothing.
    assert (second.display_name, second.auto_start, second.password_hash) == (None, None, "kept")
    assert (third.display_name, third.auto_start, third.password_hash) == ("Depot", False, None)


def test_a_table_of_charge_points_of_steve(mcpp: Mcpp, database: Database) -> None:
    file = """\
charge_box_pk;charge_box_id;registration_status;description;note
1;CP-1;Accepted;"Gate,
at the back";x
2;CP-2;Accepted;NULL;
"""

    ended = mcpp("import", "charge-points", "-", stdin=file)

    assert ended == Ended(
        0, "-: 2 added, 0 changed, 0 refused\n", "not used: charge_box_pk, registration_status, note\n"
    )
    names = {point.identity: point.display_name for point in database.q.get_charge_points(identities=["CP-1", "CP-2"])}
    assert names == {"CP-1": "Gate, at the back", "CP-2": None}


def test_refused_charge_points(mcpp: Mcpp, database: Database) -> None:
    ended = mcpp("import", "charge-points", "-", stdin="identity,auto_start\nA/B,\nCP-1,maybe\nCP-2,\nCP-2,on\n")

    assert (ended.code, ended.out) == (1, "-: 1 added, 0 changed, 3 refused\n")
    assert ended.err.splitlines() == [
        "line 2: identity 'A/B': an identity has 1 to 255 printable characters and no slash",
        "line 3: auto_start 'maybe' is neither on nor off; leave it empty for neither",
        "line 5: CP-2 stands in line 4 already; take one of them out",
    ]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("", "-: no column id_tag: it is empty; the first line names the columns: id_tag, status, "),
        ("tag,state\nT,Accepted\n", "-: no column id_tag: the first line is tag, state; "),
        ("id_tag,note,Note\nT,a,b\n", "-: more than one column for note; take one of them out"),
        ('id_tag,"note\nT,a\n', "-: the header row can't be read: "),
    ],
)
def test_a_file_that_cannot_be_used(mcpp: Mcpp, database: Database, file: str, told: str) -> None:
    ended = mcpp("import", "id-tags", "-", stdin=file)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(told)
    assert tags(database) == {}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("windows-1252", "id_tag;note;expiry_date\r\nT;Süd €;31.12.2026\r\n".encode("cp1252"), "read as Windows-1252"),
        ("unicode text", "id_tag\tnote\texpiry_date\r\nT\tSüd €\t31.12.2026\r\n".encode("utf-16"), ""),
        ("sep", 'sep=;\r\nid_tag;note;expiry_date\r\n="T";Süd €;31/12/26\r\n'.encode("utf-8-sig"), ""),
    ],
)
def test_what_excel_saves(mcpp: Mcpp, database: Database, name: str, content: bytes, told: str) -> None:
    (mcpp.directory / "tags.csv").write_bytes(content)

    ended = mcpp("import", "id-tags", "tags.csv")

    assert (ended.code, ended.out) == (0, "tags.csv: 1 added, 0 changed, 0 refused\n")
    assert told in ended.err
    assert bool(told) == bool(ended.err)
    assert tags(database) == {"T": IdTag("T", IdTagStatus.ACCEPTED, LAST_SECOND, None, "Süd €", None)}


def test_our_own_csv_for_excel_comes_back_as_it_was(mcpp: Mcpp, database: Database) -> None:
    tags_file = "\ufeffid_tag;status;expiry_date;note;\r\n'0412E5;Blocked;2026-07-01 02:00:00;'=x;\r\n"
    people_file = """\ufeffid;name;cards;price_per_kwh\r\n'0042;Ann;"[""0412E5"",""a;b""]";0,295\r\n"""

    ended = mcpp("import", "id-tags", "-", stdin=tags_file, TZ="Europe/Berlin")
    assert ended == Ended(0, "-: 1 added, 0 changed, 0 refused\n", "")
    assert mcpp("import", "people", "-", stdin=people_file).code == 0

    midnight = datetime(2026, 7, 1, tzinfo=UTC)
    assert tags(database)["0412E5"] == IdTag("0412E5", IdTagStatus.BLOCKED, midnight, None, "=x", None)
    assert sorted(held_now(database.q, "0042")) == ["0412E5", "a;b"]


def test_a_workbook_is_no_csv(mcpp: Mcpp, database: Database) -> None:
    with zipfile.ZipFile(mcpp.directory / "tags.xlsx", "w") as workbook:
        workbook.writestr("xl/workbook.xml", "<workbook/>")

    ended = mcpp("import", "id-tags", "tags.xlsx")

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "save it as CSV UTF-8" in ended.err


def test_card_numbers_that_a_spreadsheet_has_touched(mcpp: Mcpp, database: Database) -> None:
    ended = mcpp("import", "id-tags", "-", stdin='id_tag\n1.2E+17\n"1,23457E+17"\nDE*ABC*E123456*7*8*9*0\n')

    assert (ended.code, ended.out) == (1, "-: 1 added, 0 changed, 2 refused\n")
    first, second, long = ended.err.splitlines()
    assert first.startswith("line 2: id_tag '1.2E+17' was rounded by a spreadsheet")
    assert second.startswith("line 3: id_tag '1,23457E+17' was rounded")
    assert long == "line 4: warning: DE*ABC*E123456*7*8*9*0 has 22 characters; chargers send 20 at most"
    assert set(tags(database)) == {"DE*ABC*E123456*7*8*9*0"}


@pytest.mark.parametrize("file", ["absent.csv", "."])
def test_no_file(mcpp: Mcpp, database: Database, file: str) -> None:
    ended = mcpp("import", "id-tags", file)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"{file} can't be read: ")


@pytest.mark.parametrize(
    "command",
    [
        ["import", "id-tags", "tags.csv"],
        ["import", "id-tags", "tags.csv", "--dry-run"],
        ["export", "transactions"],
        ["report"],
        ["conformance"],
        ["backup", "copy.db"],
    ],
)
@pytest.mark.parametrize("database", ["absent.db", "text.db", "foreign.db", "older.db", "."])
def test_a_database_that_cannot_be_used(mcpp: Mcpp, command: list[str], database: str) -> None:
    (mcpp.directory / "tags.csv").write_text("id_tag\nT\n")
    (mcpp.directory / "text.db").write_text("no database, but a text that is long enough to be taken for one\n" * 20)
    _make(mcpp.directory / "foreign.db", "CREATE TABLE notes (text TEXT)")
    _make(
        mcpp.directory / "older.db",
        "CREATE TABLE schema_migrations (version INTEGER, name TEXT, checksum TEXT, applied_at TEXT)",
    )

    ended = mcpp(*command, "--database", database)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"database {(mcpp.directory / database).resolve()} ")
    assert not (mcpp.directory / "copy.db").exists()
    assert not (mcpp.directory / "absent.db").exists()


def _make(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.close()
