"""`mcpp import steve`: what SteVe's data export has becomes records like our own."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.database import Database
from tests.integration.cli.command import Mcpp

TABLES: Final = {
    "charge_box": """\
charge_box_pk,charge_box_id,ocpp_protocol,charge_point_vendor,charge_point_model,fw_version,description,auth_password
1,GARAGE-1,ocpp1.6J,Acme,Box 22,1.2.3,"Garage, left",{bcrypt}$2a$10$x
2,GARAGE-2,NULL,NULL,NULL,NULL,NULL,NULL
3,bad/one,NULL,NULL,NULL,NULL,NULL,NULL
""",
    "connector": "connector_pk,charge_box_id,connector_id\n11,GARAGE-1,1\n12,GARAGE-1,2\n21,GARAGE-2,1\n",
    "ocpp_tag": """\
ocpp_tag_pk,id_tag,parent_id_tag,expiry_date,max_active_transaction_count,note
1,ANN,NULL,NULL,1,NULL
2,BOB,FLAT,2030-12-31T23:00:00.000Z,0,lost
3,ANN-2,NULL,NULL,-1,NULL
""",
    "user": """\
user_pk,address_pk,first_name,last_name,e_mail,note
5,NULL,Ann,\u00c5ngstr\u00f6m,NULL,flat 2B
6,NULL,NULL,NULL,bob@example.com,NULL
""",
    "user_ocpp_tag": "user_pk,ocpp_tag_pk\n5,1\n5,3\n6,2\n",
    "transaction_start": """\
transaction_pk,event_timestamp,connector_pk,id_tag,start_timestamp,start_value
101,2026-03-01T08:00:02.000Z,11,ANN,2026-03-01T08:00:00.000Z,1000
102,2026-03-02T08:00:02.000Z,21,BOB,2026-03-02T08:00:00.000Z,500.0
103,2026-03-03T08:00:02.000Z,11,ANN-2,2026-03-03T08:00:00.000Z,9000
104,2026-03-04T08:00:02.000Z,99,ANN,2026-03-04T08:00:00.000Z,9000
105,2026-03-05T08:00:02.000Z,12,ANN,2026-03-05T08:00:00.000Z,20
""",
    "transaction_stop": """\
transaction_pk,event_timestamp,event_actor,stop_timestamp,stop_value,stop_reason
101,2026-03-01T09:00:00.000Z,manual,2026-03-01T08:59:00.000Z,4000,Other
101,2026-03-01T09:00:05.000Z,station,2026-03-01T09:00:00.000Z,9000,EVDisconnected
102,2026-03-02T10:00:02.000Z,station,2026-03-02T10:00:00.000Z,400,NULL
103,2026-03-03T09:00:02.000Z,station,2026-03-03T09:00:00.000Z,11500,weird
""",
}
"""As SteVe writes them: a header, NULL for what is none, a file for each table."""


def export(folder: Path, tables: Mapping[str, str] = TABLES) -> str:
    with zipfile.ZipFile(folder / "steve.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.csv", text)
    return "steve.zip"


@pytest.fixture
def mcpp(tmp_path: Path) -> Mcpp:
    """With a database that no server has."""
    Database(tmp_path / "mcpp.db").close()
    return Mcpp(tmp_path)


def sessions(mcpp: Mcpp) -> dict[int, dict[str, Any]]:
    found = json.loads(mcpp("export", "transactions", "--format", "json").out)
    return {session["transaction_id"]: session for session in found}


def test_all_that_an_export_has(mcpp: Mcpp) -> None:
    ended = mcpp("import", "steve", export(mcpp.directory))

    assert ended.code == 1
    assert ended.out.splitlines() == [
        "charge points: 2 added, 0 there already, 1 refused; 1 had a password, which can't be taken over: set it anew",
        "id tags: 3 added, 0 there already, 0 refused",
        "people: 2 added, 0 there already, 0 refused",
        "sessions: 4 added, 0 there already, 1 refused; 1 with an energy that can't be true; 1 that still run",
    ]
    bad, lost = ended.err.splitlines()
    assert bad.startswith("charge_box.csv line 4: identity 'bad/one': ")
    assert lost == "transaction_start.csv line 5: there is no connector 99"
    found = sessions(mcpp)
    # Under SteVe's ids, since a charger that charges meanwhile names its own at the end.
    assert set(found) == {101, 102, 103, 105}
    first = found[101]
    assert (first["charge_point_id"], first["connector_id"], first["id_tag"]) == ("GARAGE-1", 1, "ANN")
    assert (first["energy_wh"], first["stop_reason"], first["stop_origin"]) == (8000, "EVDisconnected", "charger")
    assert (first["started_at"], first["stopped_at"]) == ("2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z")
    assert found[102]["energy_implausible"]
    assert (found[103]["energy_wh"], found[103]["stop_reason"]) == (2500, "Other")
    assert found[105]["stopped_at"] is None
    by_person = json.loads(mcpp("report", "--by", "person", "--period", "year", "--format", "json").out)
    assert [(line["person_id"], line["energy_wh"]) for line in by_person] == [("steve-5", 10500), ("steve-6", 0)]


def test_a_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    mcpp = Mcpp(tmp_path)
    ended = mcpp("import", "steve", export(tmp_path))

    made, *told = ended.out.splitlines()
    assert made == f"{(tmp_path / 'mcpp.db').resolve()}: made, since there was none"
    assert told[2] == "people: 2 added, 0 there already, 0 refused"
    assert set(sessions(mcpp)) == {101, 102, 103, 105}


def test_again_changes_nothing(mcpp: Mcpp) -> None:
    file = export(mcpp.directory)
    mcpp("import", "steve", file)
    before = sessions(mcpp)

    ended = mcpp("import", "steve", file)

    assert [line.partition(";")[0] for line in ended.out.splitlines()] == [
        "charge points: 0 added, 2 there already, 1 refused",
        "id tags: 0 added, 3 there already, 0 refused",
        "people: 0 added, 2 there already, 0 refused",
        "sessions: 0 added, 4 there already, 1 refused",
    ]
    assert sessions(mcpp) == before


def test_master_data_alone_and_an_older_steve(mcpp: Mcpp) -> None:
    tables = {
        "charge_box": TABLES["charge_box"].replace("3,bad/one,NULL,NULL,NULL,NULL,NULL,NULL\n", ""),
        "ocpp_tag": TABLES["ocpp_tag"],
        "user": "user_pk,ocpp_tag_pk,first_name,last_name\n5,1,Ann,NULL\n",
    }
    ended = mcpp("import", "steve", export(mcpp.directory, tables))

    assert ended.code == 0
    assert "people: 1 added" in ended.out
    assert "the export has no sessions: choose all data in SteVe" in ended.out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id_tag,note\n", "is no ZIP archive"),
        (b"", "is no ZIP archive"),
    ],
)
def test_what_is_no_export(mcpp: Mcpp, content: bytes, told: str) -> None:
    (mcpp.directory / "steve.zip").write_bytes(content)

    ended = mcpp("import", "steve", "steve.zip")

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert told in ended.err


def test_an_archive_of_something_else(mcpp: Mcpp) -> None:
    ended = mcpp("import", "steve", export(mcpp.directory, {"photos": "a\n"}))

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no charge_box.csv in it; in SteVe, choose" in ended.err
