"""`mcpp trace`: its options, its forms of output, and wrong use; what a story says is tested in tests/unit/story."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.database import Database
from tests.integration.cli.command import COMMAND, Ended, Mcpp, clean_environment
from tests.unit.story.charged import Charged, as_text


class Traced:
    """A session in a directory's database, its log beside it, and the command."""

    def __init__(self, mcpp: Mcpp, database: Database) -> None:
        self.mcpp = mcpp
        self.database = database.path
        self.session = Charged(database)
        self.log = self.session.log

    def __call__(self, *flags: str) -> Ended:
        """The session's story, with the log as it is now."""
        (self.mcpp.directory / "server.log").write_text(self.log.text())
        return self.mcpp("trace", str(self.session.id), "--log", "server.log", *flags)


@pytest.fixture
def traced(mcpp: Mcpp, database: Database) -> Traced:
    return Traced(mcpp, database)


def test_a_session_from_database_and_log(traced: Traced) -> None:
    traced.session.charge()
    text = as_text(traced.session.story(), "Europe/Berlin")

    assert traced("--timezone", "Europe/Berlin") == Ended(0, text, "")


def test_without_a_log(traced: Traced) -> None:
    ended = traced.mcpp("trace", str(traced.session.id))

    assert ended == Ended(0, as_text(traced.session.story_without_log()), "")


def test_piped_and_rotated_logs(traced: Traced) -> None:
    traced.session.charge()
    whole = traced()
    text = traced.log.text().encode()
    cut = text.index(b"\n", len(text) // 2) + 1
    (traced.mcpp.directory / "server.log.1.gz").write_bytes(gzip.compress(text[:cut]))
    (traced.mcpp.directory / "server.log").write_bytes(text[cut:])

    rotated = traced.mcpp("trace", "1", "--log", "server.log", "--log", "server.log.1.gz")
    piped = traced.mcpp("trace", "1", "--log", "-", stdin=gzip.compress(text))

    assert rotated == piped == whole
    assert whole.code == 0


def test_entries_as_json_lines(traced: Traced) -> None:
    traced.log.started(0, traced.session.id, 1000, "CARD-7")
    traced.log.message(10, "ChangeAvailability", direction="out", request={"type": "Operative"}, response={})

    ended = traced("--json", "--payloads")
    items: list[dict[str, Any]] = [json.loads(line) for line in ended.out.splitlines()]

    assert items[0]["kind"] == "transaction"
    assert (items[0]["transaction_id"], items[0]["energy_wh"], items[0]["id_tag"]) == (
        traced.session.id,
        7000,
        "CARD-7",
    )
    assert [item["kind"] for item in items[1:]] == ["message", "command", "gap", "booked"]
    assert items[2]["payloads"] == {"request": {"type": "Operative"}, "response": {}}
    assert ended.err.splitlines()[0].startswith("Log: 5 lines read, 5 told of here")


def test_a_charge_point(traced: Traced) -> None:
    traced.log.status(0, "Preparing", "Available")
    traced.log.status(900, "Available", "Preparing")
    (traced.mcpp.directory / "server.log").write_text(traced.log.text())
    flags = ("trace", "--charge-point", "CP-1", "--log", "server.log", "--timezone", "UTC")

    ended = traced.mcpp(*flags, "--connector", "1", "--since", "2026-05-01T12:10", "--until", "2026-05-01T13:00")
    as_json = traced.mcpp(*flags, "--connector", "1", "--json")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(
        "Charge point CP-1, connector 1\n  from 2026-05-01 12:10:00 until 2026-05-01 13:00:00\n"
    )
    assert "Preparing → Available" in ended.out
    assert "Available → Preparing" not in ended.out
    assert json.loads(as_json.out.splitlines()[0]) == {
        "kind": "charge_point",
        "charge_point_id": "CP-1",
        "connector_id": 1,
    }


def test_a_charge_point_that_nobody_knows(traced: Traced) -> None:
    traced.log.add(0, "server_started")
    (traced.mcpp.directory / "server.log").write_text(traced.log.text())

    ended = traced.mcpp("trace", "--charge-point", "CP-9", "--log", "server.log")

    assert ended == Ended(1, "", f"there is no charge point 'CP-9' in {traced.database}, nor in the log\n")


def test_a_log_without_its_database(traced: Traced) -> None:
    traced.log.connection(0, "accepted")
    (traced.mcpp.directory / "server.log").write_text(traced.log.text())
    elsewhere = Mcpp(Path(traced.mcpp.directory) / "elsewhere")
    elsewhere.directory.mkdir()

    ended = elsewhere("trace", "--charge-point", "CP-1", "--log", "../server.log")

    assert ended.code == 0
    assert "connected from 10.0.0.7\n" in ended.out
    assert f"Told from the log alone: database {elsewhere.directory / 'mcpp.db'} does not exist" in ended.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to trace: a transaction's id, or --charge-point"),
        (["seven"], "Invalid value for '[TRANSACTION_ID]': 'seven' is not a valid number."),
        (["0"], "Invalid value for '[TRANSACTION_ID]': 0 is not in the range 1 to 9223372036854775807."),
        (
            ["1", "--connector", "1"],
            "--charge-point, --connector, --evse, --since and --until don't go with a transaction's id",
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
def test_wrong_use(traced: Traced, arguments: list[str], message: str) -> None:
    ended = traced.mcpp("trace", *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[0]


def test_a_log_in_console_format_is_refused(traced: Traced) -> None:
    (traced.mcpp.directory / "server.log").write_text("12:00:00.123 info  connection  charge_point_id=CP-1 {}\n" * 3)

    ended = traced.mcpp("trace", "1", "--log", "server.log")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "--log: server.log holds no JSON lines; only a log in JSON can be traced, so run the server with "
        "--log-file, or with --log-format json\n"
    )


@pytest.mark.parametrize(("variables", "colors"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_in_its_width_and_colors(traced: Traced, variables: dict[str, str], colors: bool) -> None:
    traced.log.message(
        10, "RemoteStopTransaction", direction="out", error="GenericError and many more words of the charger's"
    )
    (traced.mcpp.directory / "server.log").write_text(traced.log.text())
    reader, terminal = os.openpty()

    subprocess.run(
        [*COMMAND, "trace", str(traced.session.id), "--log", "server.log"],
        cwd=traced.mcpp.directory,
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


def test_an_unknown_transaction(traced: Traced) -> None:
    assert traced.mcpp("trace", "17") == Ended(1, "", f"there is no transaction 17 in {traced.database}\n")
