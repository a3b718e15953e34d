"""`mcpp conformance`: what it prints for people, for scripts and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from datetime import timedelta

import pytest

from mcpp.domain.charge_points import Boot, boot
from mcpp.domain.conformance import Kind, Seen, Waiting, write_departures
from mcpp_generated.db.enums import MessageRole
from tests.database import BEGIN, Database
from tests.integration.cli.command import COMMAND, Ended, Mcpp, clean_environment

VALUE = Kind("MeterValues", MessageRole.CALL, "number_for_text", "meterValue[].sampledValue[].value")
READONLY = Kind("GetConfiguration", MessageRole.ANSWER, "text_for_boolean", "configurationKey[].readonly")


@pytest.fixture
def odd(database: Database) -> Database:
    """Two chargers of one firmware that are odd, and one that never booted."""
    for charge_point_id in ("CP-1", "CP-2"):
        about = Boot("Acme", "Wallbox One", None, None, "1.2.3", None, None, None, None)
        boot(database.q, database.charge_point(charge_point_id), about)
    database.charge_point("CP-3")
    later = BEGIN + timedelta(hours=1)
    write_departures(
        database.q,
        [
            Waiting("CP-1", VALUE, Seen(7, BEGIN, BEGIN, "230.1", '"230.1"')),
            Waiting("CP-2", VALUE, Seen(4, later, later, "231.0", '"231.0"')),
            Waiting("CP-2", READONLY, Seen(1, later, later, "", "")),
            Waiting("CP-3", Kind("", MessageRole.OTHER, "no_subprotocol", ""), Seen(1, BEGIN, BEGIN, "\x1b[31m", "")),
        ],
    )
    return database


def on_a_terminal(mcpp: Mcpp, *arguments: str, columns: int = 100) -> str:
    """What the command prints on a terminal of that width."""
    leader, follower = pty.openpty()
    try:
        run = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=mcpp.directory,
            env=clean_environment(COLUMNS=str(columns)),
            stdin=subprocess.DEVNULL,
            stdout=follower,
        )
        os.close(follower)
        printed = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            printed += part
        assert run.wait(timeout=60) == 0
    finally:
        os.close(leader)
    return printed.decode().replace("\r\n", "\n")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such terminals")
def test_on_a_terminal(mcpp: Mcpp, odd: Database) -> None:
    assert (
        on_a_terminal(mcpp, "conformance")
        == """\
Not said which vendor and model, firmware not said
  Count  Chargers       Since  Rule            Where, what came last -> as what it was taken
      1         1  2026-05-01  no_subprotocol  Frame or handshake
                                               \\u001b[31m

Acme Wallbox One, firmware 1.2.3
  Count  Chargers       Since  Rule              Where, what came last -> as what it was taken
     11         2  2026-05-01  number_for_text   MeterValues: meterValue[].sampledValue[].value
                                                 231.0 -> "231.0"
      1         1  2026-05-01  text_for_boolean  Answer to GetConfiguration:
                                                 configurationKey[].readonly
"""
    )


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such terminals")
def test_on_a_narrow_terminal_every_line_fits(mcpp: Mcpp, odd: Database) -> None:
    printed = on_a_terminal(mcpp, "conformance", columns=80)

    assert max(map(len, printed.splitlines())) <= 80
    assert "MeterValues:meterValue[].sampledValue[].value231.0" in "".join(printed.split())


def test_in_a_pipe_a_line_is_whole(mcpp: Mcpp, odd: Database) -> None:
    ended = mcpp("conformance", "--charge-point", "CP-1")
    heading, line = ended.out.splitlines()

    assert heading.split()[:3] == ["vendor", "model", "firmware_version"]
    assert "charge_points" not in heading
    for text in ("Acme", "MeterValues", "number_for_text", "meterValue[].sampledValue[].value", "7", '"230.1"'):
        assert text in line


def test_json(mcpp: Mcpp, odd: Database) -> None:
    found = json.loads(mcpp("conformance", "--format", "json").out)

    assert [it["vendor"] for it in found] == [None, "Acme", "Acme"]
    assert found[2] == {
        "vendor": "Acme",
        "model": "Wallbox One",
        "firmware_version": "1.2.3",
        "charge_points": 2,
        "message": "call",
        "action": "MeterValues",
        "rule": "number_for_text",
        "field": "meterValue[].sampledValue[].value",
        "count": 11,
        "first_at": "2026-05-01T12:00:00.000Z",
        "last_at": "2026-05-01T13:00:00.000Z",
        "example": "231.0",
        "taken_as": '"231.0"',
    }


def test_csv(mcpp: Mcpp, odd: Database) -> None:
    lines = mcpp("conformance", "--format", "csv", "--charge-point", "CP-2").out.splitlines()

    assert lines == [
        "vendor,model,firmware_version,message,action,rule,field,count,first_at,last_at,example,taken_as",
        (
            "Acme,Wallbox One,1.2.3,answer,GetConfiguration,text_for_boolean,configurationKey[].readonly,1,"
            "2026-05-01T13:00:00.000Z,2026-05-01T13:00:00.000Z,,"
        ),
        (
            "Acme,Wallbox One,1.2.3,call,MeterValues,number_for_text,meterValue[].sampledValue[].value,4,"
            '2026-05-01T13:00:00.000Z,2026-05-01T13:00:00.000Z,231.0,"""231.0"""'
        ),
    ]


def test_csv_for_excel(mcpp: Mcpp, odd: Database) -> None:
    head, *lines = mcpp("conformance", "--format", "csv", "--dialect", "excel").out.splitlines()

    assert head.startswith("\N{ZERO WIDTH NO-BREAK SPACE}vendor;model;firmware_version;charge_points;")
    assert lines
    assert not any("T" in line.split(";")[9] for line in lines)  # a time as people write it


def test_nothing_is_recorded(mcpp: Mcpp, database: Database) -> None:
    assert mcpp("conformance", "--format", "json") == Ended(0, "[\n]\n", "")
    assert mcpp("conformance").out.count("\n") == 1


def test_wrong_use_is_one_line_and_the_exit_code_2(mcpp: Mcpp, odd: Database) -> None:
    unknown = mcpp("conformance", "--charge-point", "CP-9")
    wrong = mcpp("conformance", "--format", "xml")

    assert (unknown.code, unknown.out, unknown.err.count("\n")) == (2, "", 1)
    assert unknown.err.startswith("there is no charge point 'CP-9' in ")
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (2, "", 1)


def test_help(mcpp: Mcpp) -> None:
    ended = mcpp("conformance", "--help")

    assert ended.code == 0
    for text in ("--charge-point", "--format", "--database", "Secrets are masked"):
        assert text in ended.out
    assert "conformance" in mcpp("--help").out
