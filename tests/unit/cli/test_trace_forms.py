"""`mcpp trace`: the forms that a log comes in, those that a story is told in, and wrong use."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.cli.command import COMMAND, Ended, Mcpp, clean_environment
from tests.unit.cli.ledger import BEGIN, Ledger
from tests.unit.cli.session_log import spelled
from tests.unit.cli.told import Told, story


@pytest.fixture
def told(mcpp: Mcpp, ledger: Ledger) -> Told:
    return Told(mcpp, ledger)


def test_entries_as_json_lines(told: Told) -> None:
    told.log.started(0, told.id, 1000, "CARD-7")
    told.log.message(10, "ChangeAvailability", direction="out", request={"type": "Operative"}, response={})
    told.log.write(told.mcpp.directory / "server.log")

    ended = told.run("--log", "server.log", "--json", "--payloads")
    items: list[dict[str, Any]] = [json.loads(line) for line in ended.out.splitlines()]

    assert items[0]["kind"] == "transaction"
    assert (items[0]["transaction_id"], items[0]["energy_wh"], items[0]["id_tag"]) == (told.id, 7000, "CARD-7")
    assert items[2] == {
        "kind": "command",
        "at": spelled(BEGIN + timedelta(seconds=10)),
        "source": "operator",
        "what": "→ ChangeAvailability: Operative",
        "correlation_id": told.log.lines[-1]["correlation_id"],
        "duration_ms": 2.5,
        "facts": {"message_id": "m-3", "action": "ChangeAvailability", "connector_id": 1, "answer": "call_result"},
        "payloads": {"request": {"type": "Operative"}, "response": {}},
    }
    assert [item["kind"] for item in items[3:]] == ["gap", "booked"]
    assert ended.err.splitlines()[0].startswith("Log: 5 lines read, 5 told of here")


def test_payloads_are_shown_where_they_are_logged(told: Told) -> None:
    told.log.message(10, "Reset", direction="out", request={"type": "Soft"}, response={"status": "Accepted"})

    assert "request" not in told()
    lines = [line.strip() for line in told("--payloads").splitlines()]
    place = lines.index('request {"type":"Soft"}')
    assert lines[place - 1].endswith("→ Reset: Soft → Accepted (2 ms)")
    assert lines[place + 1] == 'response {"status":"Accepted"}'


def test_rotated_compressed_and_piped_logs(told: Told) -> None:
    told.charge()
    whole = told()
    text = told.log.text().encode()
    cut = text.index(b"\n", len(text) // 2) + 1
    (told.mcpp.directory / "server.log.1.gz").write_bytes(gzip.compress(text[:cut]))
    (told.mcpp.directory / "server.log").write_bytes(text[cut:])

    rotated = told.run("--log", "server.log", "--log", "server.log.1.gz")
    piped = told.run("--log", "-", stdin=gzip.compress(text))

    assert rotated == piped == Ended(0, whole, "")


def test_lines_that_are_no_json_or_cut_short_are_skipped_and_counted(told: Told) -> None:
    told.charge()
    plain = told()
    session = told.log.session

    damaged = told(junk=f'Traceback\n\n{{"session_correlation_id":"{session}",}}\n{{"timestamp":"2026-05-01T13:00:01.0')

    assert story(damaged) == story(plain)
    assert damaged.endswith("Skipped 3 lines that are no JSON, or cut short.\n")


def test_lines_as_journalctl_and_compose_have_them(told: Told) -> None:
    told.charge()
    plain = told()
    prefixed = "".join(f"mcpp-1  | {line}\n" for line in told.log.text().splitlines())

    assert told.run("--log", "-", stdin=prefixed).out == plain


def test_a_log_cut_off_in_its_compressed_form(told: Told) -> None:
    told.charge()
    packed = gzip.compress(told.log.text().encode())
    (told.mcpp.directory / "server.log.gz").write_bytes(packed[:-200])

    ended = told.run("--log", "server.log.gz")

    assert ended.code == 0
    assert ended.out.endswith("server.log.gz ends too early: its end is missing.\n")


def test_what_the_log_does_not_reach_is_said(told: Told) -> None:
    told.measure(30, 4000)
    late = told()
    told.log.lines.clear()
    told.log.add(0, "server_started")

    assert "The log begins after this session" in late
    assert "The log ends before this session" in late
    assert "The log has no line of this session.\n" in told()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to trace: a transaction's id, or --charge-point"),
        (["seven"], "Invalid value for '[TRANSACTION_ID]': 'seven' is not a valid integer range."),
        (["0"], "Invalid value for '[TRANSACTION_ID]': 0 is not in the range 1<=x<=9223372036854775807."),
        (
            ["1", "--connector", "1"],
            "--charge-point, --connector, --since and --until don't go with a transaction's id",
        ),
        (["--charge-point", "CP-1"], "--charge-point needs the server's log: give it with --log"),
        (["1", "--log", "none.log"], "Invalid value for '--log': File 'none.log' does not exist."),
        (
            ["1", "--timezone", "Europe/Berlinn"],
            "--timezone: 'Europe/Berlinn' is no time zone; did you mean Europe/Berlin?",
        ),
        (["--charge-point", "CP-1", "--log", "-", "--since", "soon"], "--since: 'soon' is no time; "),
        (["1", "--database", "none.db"], "none.db does not exist"),
    ],
)
def test_wrong_use(told: Told, arguments: list[str], message: str) -> None:
    ended = told.mcpp("trace", *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[0]


def test_a_log_in_console_format_is_refused(told: Told) -> None:
    (told.mcpp.directory / "server.log").write_text("12:00:00.123 info  connection  charge_point_id=CP-1 {}\n" * 3)

    ended = told.run("--log", "server.log")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "--log: server.log holds no JSON lines; only a log in JSON can be traced, so run the server with "
        "--log-format json (the default)\n"
    )


@pytest.mark.parametrize(("variables", "colors"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_in_its_width_and_colors(told: Told, variables: dict[str, str], colors: bool) -> None:
    told.log.message(
        10, "RemoteStopTransaction", direction="out", error="GenericError and many more words of the charger's"
    )
    told.log.write(told.mcpp.directory / "server.log")
    reader, terminal = os.openpty()

    subprocess.run(
        [*COMMAND, "trace", str(told.id), "--log", "server.log"],
        cwd=told.mcpp.directory,
        env=clean_environment(COLUMNS="80", TERM="xterm", **variables),
        stdout=terminal,
        timeout=60,
        check=True,
    )
    out = os.read(reader, 1 << 16).decode()
    os.close(reader)
    os.close(terminal)

    assert ("\x1b[33m" in out) is colors
    lines = re.sub(r"\x1b\[\d*m", "", out).splitlines()
    assert max(map(len, lines)) <= 80
    place = next(number for number, line in enumerate(lines) if "RemoteStop" in line)
    assert lines[place + 1] == " " * 30 + "many more words of the charger's (2 ms)"


def test_an_unknown_transaction(told: Told) -> None:
    assert told.mcpp("trace", "17") == Ended(1, "", f"there is no transaction 17 in {told.database}\n")


def test_a_chargers_own_text_does_not_steer_the_terminal(told: Told) -> None:
    told.log.event(1, "connector_status_changed", told.log.flow(), {"status": "Faulted", "info": "\x1b[2J\u202e"})

    assert "Faulted, \\u001b[2J\\u202e" in told()
