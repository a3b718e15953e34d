"""`mcpp export transactions`: the books as CSV and JSON."""

from __future__ import annotations

import csv
import json
import subprocess
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import cast

import pytest

from mcpp.api.models import Transaction
from tests.database import BEGIN, Database
from tests.integration.cli.command import COMMAND, Mcpp, clean_environment


def exported(mcpp: Mcpp, *flags: str) -> list[dict[str, object]]:
    ended = mcpp("export", "transactions", "--format", "json", *flags)
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert isinstance(found, list)
    return found


def test_json_and_csv_say_the_same_in_the_columns_of_the_api(mcpp: Mcpp, database: Database) -> None:
    closed = database.session(wh=7000)
    running = database.session(connector_id=2, started_at=BEGIN + timedelta(minutes=1), wh=None)

    rows = exported(mcpp)
    ended = mcpp("export", "transactions")

    assert rows == [
        {
            "transaction_id": running,
            "charge_point_id": "CP-1",
            "connector_id": 2,
            "id_tag": "TAG",
            "meter_start": 1000,
            "meter_stop": None,
            "energy_wh": None,
            "started_at": "2026-05-01T12:01:00.000Z",
            "stopped_at": None,
            "stop_reason": None,
            "stop_origin": None,
            "evidence": None,
            "energy_implausible": False,
            "reason": None,
            "original_energy_wh": None,
            "correction": None,
            "session_correlation_id": f"{2:032x}",
            "power_w": None,
            "duration_s": None,
            "evse_id": None,
            "ocpp_transaction_id": None,
        },
        {
            "transaction_id": closed,
            "charge_point_id": "CP-1",
            "connector_id": 1,
            "id_tag": "TAG",
            "meter_start": 1000,
            "meter_stop": 8000,
            "energy_wh": 7000,
            "started_at": "2026-05-01T12:00:00.000Z",
            "stopped_at": "2026-05-01T13:00:00.000Z",
            "stop_reason": "Local",
            "stop_origin": "charger",
            "evidence": None,
            "energy_implausible": False,
            "reason": None,
            "original_energy_wh": None,
            "correction": None,
            "session_correlation_id": f"{1:032x}",
            "power_w": None,
            "duration_s": 3600,
            "evse_id": None,
            "ocpp_transaction_id": None,
        },
    ]
    assert [list(row) for row in rows] == [list(Transaction.model_fields)] * 2
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f"{','.join(Transaction.model_fields)}\n"
        f"{running},CP-1,2,TAG,1000,,,2026-05-01T12:01:00.000Z,,,,,false,,,,{2:032x},,,,\n"
        f"{closed},CP-1,1,TAG,1000,8000,7000,2026-05-01T12:00:00.000Z,2026-05-01T13:00:00.000Z,Local,charger,,false,,,,"
        f"{1:032x},,3600,,\n"
    )


def test_filters(mcpp: Mcpp, database: Database) -> None:
    first = database.session(started_at=datetime(2026, 3, 1, tzinfo=UTC), id_tag="A")
    second = database.session(started_at=datetime(2026, 3, 2, tzinfo=UTC), id_tag="B", charge_point_id="CP-2")
    third = database.session(started_at=datetime(2026, 3, 3, tzinfo=UTC), id_tag="A", connector_id=2, wh=None)

    def ids(*flags: str) -> list[object]:
        return [row["transaction_id"] for row in exported(mcpp, *flags)]

    assert ids() == [third, second, first]
    assert ids("--charge-point-id", "CP-1") == [third, first]
    assert ids("--charge-point-id", "CP-1", "--connector-id", "2") == [third]
    assert ids("--id-tag", "a") == [third, first]
    assert ids("--open") == [third]
    assert ids("--closed") == [second, first]
    assert ids("--since", "2026-03-02") == [third, second]
    assert ids("--until", "2026-03-02T01:00:00+01:00") == [first]
    assert ids("--since", "2026-03-02T00:00:00Z", "--until", "2026-03-03") == [second]
    assert ids("--id-tag", "C") == []


def test_more_than_one_page_is_whole_and_in_order(mcpp: Mcpp, database: Database) -> None:
    ids = [
        database.session(started_at=BEGIN + timedelta(minutes=number // 3), meter_start=number)
        for number in range(2_500)
    ]

    assert [row["transaction_id"] for row in exported(mcpp)] == ids[::-1]


@pytest.mark.parametrize(
    "id_tag", ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted", '=HYPERLINK("x";"y")', "a,b", 'a"b', "a;b"]
)
def test_a_spreadsheet_runs_no_id_tag_and_none_is_lost(mcpp: Mcpp, database: Database, id_tag: str) -> None:
    database.session(id_tag=id_tag, meter_start=-5, wh=1)

    (cells,) = csv.DictReader(StringIO(mcpp("export", "transactions").out))

    assert not cells["id_tag"].startswith(("=", "+", "-", "@"))
    assert id_tag == (cells["id_tag"][1:] if cells["id_tag"].startswith("'") else cells["id_tag"])
    assert cells["meter_start"] == "-5"  # a number is no formula
    assert [row["id_tag"] for row in exported(mcpp)] == [id_tag]


def test_a_recovered_stop_carries_its_evidence(mcpp: Mcpp, database: Database) -> None:
    database.session(wh=None)
    database.session(started_at=BEGIN + timedelta(hours=1), meter_start=5000, wh=None)  # ends the one before

    recovered = exported(mcpp, "--closed")
    (cells,) = csv.DictReader(StringIO(mcpp("export", "transactions", "--closed").out))

    (evidence,) = (cast("dict[str, object]", row["evidence"]) for row in recovered)
    assert (evidence["cause"], evidence["source"]) == ("next_start", "next_start")
    assert json.loads(cells["evidence"]) == evidence


@pytest.mark.parametrize("output_format", ["csv", "json"])
def test_a_reader_that_leaves_ends_it_quietly(mcpp: Mcpp, database: Database, output_format: str) -> None:
    database.connection.execute("BEGIN")
    for number in range(2_500):
        database.session(started_at=BEGIN + timedelta(minutes=number), meter_start=number)
    database.connection.execute("COMMIT")

    with subprocess.Popen(
        [*COMMAND, "export", "transactions", "--format", output_format],
        cwd=mcpp.directory,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline()
        export.stdout.close()
        assert export.stderr.read() == b""
        assert export.wait(30) == 1


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--since", "yesterday"), "--since: 'yesterday' is no time; write 2026-03-29 or 2026-03-29T12:00:00Z"),
        (("--until", "2026-13-01"), "--until: '2026-13-01' is no time; write 2026-03-29 or 2026-03-29T12:00:00Z"),
        (("--connector-id", "-1"), "--connector-id"),
        (("--format", "xml"), "--format"),
    ],
)
def test_wrong_use_is_one_line_and_the_exit_code_2(
    mcpp: Mcpp, database: Database, flags: tuple[str, ...], told: str
) -> None:
    ended = mcpp("export", "transactions", *flags)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert told in ended.err


def test_a_full_disk_is_one_line(mcpp: Mcpp, database: Database) -> None:
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [*COMMAND, "export", "transactions"],
            cwd=mcpp.directory,
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert (run.returncode, run.stderr) == (1, "standard output can't be written: No space left on device\n")
