"""The commands against a running server: every operation by `mcpp call`, and the books beside it."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import quote

from click.testing import CliRunner
from ocpp.exceptions import NotSupportedError
from ocpp.v16 import call
from ocpp.v16.enums import Reason

from mcpp.cli.program import program
from mcpp.ocppj.actions import Sender
from mcpp_generated.ocpp16.actions import ACTIONS
from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.operated import operated_charger
from tests.acceptance.operations import OPERATIONS
from tests.acceptance.server import running_server
from tests.integration.cli.command import Ended, Mcpp

BEGIN = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


async def run(mcpp: Mcpp, *arguments: str, stdin: str = "", **variables: str) -> Ended:
    """A command, while the loop serves the charger."""
    return await asyncio.to_thread(mcpp, *arguments, stdin=stdin, **variables)


async def run_here(*arguments: str) -> tuple[object, str, str]:
    """A command in this process, for those that are many: its code, what it prints and what it complains of."""
    ended = await asyncio.to_thread(CliRunner().invoke, program, arguments, standalone_mode=False)
    assert ended.exception is None
    return ended.return_value, ended.stdout, ended.stderr


async def charge(charger: Charger, id_tag: str, begin: datetime, *, wh: int) -> int:
    """One session of an hour."""
    started = await charger.ask(
        call.StartTransaction(connector_id=1, id_tag=id_tag, meter_start=100, timestamp=begin.isoformat())
    )
    end = (begin + timedelta(hours=1)).isoformat()
    transaction_id: int = started.transaction_id
    await charger.ask(
        call.StopTransaction(meter_stop=100 + wh, timestamp=end, transaction_id=transaction_id, reason=Reason.local)
    )
    return transaction_id


async def test_every_operation_reaches_the_charger_and_its_answer_the_caller(tmp_path: Path) -> None:
    assert [operation.action for operation in OPERATIONS] == [
        name for name, action in ACTIONS.items() if action.sender is not Sender.CHARGE_POINT
    ]
    answers = {operation.action: operation.answer for operation in OPERATIONS}
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, quote("Süd 1"), dict(answers)) as charger,
    ):
        for action, request, answer in OPERATIONS:
            code, out, err = await run_here("call", "Süd 1", action, json.dumps(request), "--api-url", server.http_url)
            assert (code or 0, err) == (0, ""), action
            assert json.loads(out) == answer
            assert charger.seen.pop() == (action, request)
        assert charger.seen == []


async def test_what_a_refused_command_looks_like(tmp_path: Path) -> None:
    mcpp = Mcpp(tmp_path)

    async def refused(*arguments: str, **variables: str) -> list[str]:
        ended = await run(mcpp, "call", *arguments, **({"MCPP_API_TOKEN": "t0ken"} | variables))
        assert (ended.code, ended.out) == (1, "")
        return ended.err.splitlines()

    async with running_server(tmp_path / "mcpp.db", "--api-token", "t0ken", "--call-timeout", "0.2") as server:
        url = ("--api-url", server.http_url)
        (unknown,) = await refused("CP-1", "ClearCache", *url)
        no_lock = NotSupportedError("no lock", {"connector": 1})  # type: ignore[no-untyped-call]  # the package has no types
        async with operated_charger(server.ocpp_url, "CP-1", {"UnlockConnector": no_lock}) as charger:
            no_token = await refused("CP-1", "ClearCache", *url, MCPP_API_TOKEN="")
            (invalid,) = await refused("CP-1", "Reset", '{"type": "Warm"}', *url)
            call_error = await refused("CP-1", "UnlockConnector", '{"connectorId": 1}', *url)
            charger.socket.transport.pause_reading()
            (timeout,) = await refused("CP-1", "ClearCache", *url)
            charger.socket.transport.resume_reading()
        await server.connection_ended("closed")
        (gone,) = await refused("CP-1", "ClearCache", *url)

    assert unknown.startswith("not_found: ")
    assert no_token[0].startswith("unauthorized: ")
    assert no_token[1] == "give the server's token with --api-token or MCPP_API_TOKEN"
    assert invalid.startswith("invalid_payload: ")
    assert "type" in invalid
    assert call_error[0].startswith("call_error: ")
    assert call_error[1] == 'error_code: NotSupported, error_description: no lock, error_details: {"connector": 1}'
    assert timeout.startswith("timeout: ")
    assert gone.startswith("not_connected: ")


async def test_the_shell_completes_connected_chargers(tmp_path: Path) -> None:
    mcpp = Mcpp(tmp_path)
    async with running_server(tmp_path / "mcpp.db") as server, connected_charger(server.ocpp_url, "CP-17"):
        ended = await run(
            mcpp,
            _MCPP_COMPLETE="bash_complete",
            COMP_WORDS="mcpp call CP",
            COMP_CWORD="2",
            MCPP_API_URL=server.http_url,
        )

    assert ended == Ended(0, "plain,CP-17\n", "")


async def test_imported_tags_and_passwords_hold_at_once(tmp_path: Path) -> None:
    mcpp = Mcpp(tmp_path)
    tags = "id_tag,expiry_date,max_active_transaction_count\nGOOD,,1\nBAD,,0\nOLD,2020-01-01 00:00:00,1\n"
    async with (
        running_server(tmp_path / "mcpp.db", "--authorization", "known", "--registration", "closed") as server,
    ):
        points = await run(mcpp, "import", "charge-points", "-", stdin="charge_box_id,description\nCP-1,Gate\n")
        imported = await run(mcpp, "import", "id-tags", "-", stdin=tags)
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            verdicts = [
                (await charger.ask(call.Authorize(id_tag=tag))).id_tag_info["status"]
                for tag in ("good", "BAD", "OLD", "NEW")
            ]
        point = await server.get("/api/v1/charge-points/CP-1")

    assert points == Ended(0, "-: 1 added, 0 changed, 0 refused\n", "")
    assert imported == Ended(0, "-: 3 added, 0 changed, 0 refused\n", "")
    assert verdicts == ["Accepted", "Blocked", "Expired", "Invalid"]
    assert point["display_name"] == "Gate"


async def test_export_report_and_backup_beside_a_running_server(tmp_path: Path) -> None:
    mcpp = Mcpp(tmp_path)
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charge(charger, "A", BEGIN - timedelta(minutes=30), wh=1_000)
        await charge(charger, "B", BEGIN + timedelta(minutes=30), wh=2_500)
        listed = (await server.get("/api/v1/transactions"))["items"]
        as_json = await run(mcpp, "export", "transactions", "--format", "json")
        as_csv = await run(mcpp, "export", "transactions", "--id-tag", "b")
        days = await run(mcpp, "report", "--period", "day", "--timezone", "Europe/Berlin", "--format", "csv")
        backup = await run(mcpp, "backup", "copy.db")
        await charge(charger, "C", BEGIN + timedelta(hours=5), wh=1)
        of_copy = await run(mcpp, "export", "transactions", "--format", "json", "--database", "copy.db")
        await server.terminate()

    assert json.loads(as_json.out) == listed
    (cells,) = csv.DictReader(StringIO(as_csv.out))
    assert cells == {
        name: "" if value is None else "false" if value is False else str(value) for name, value in listed[0].items()
    }
    assert days.out.splitlines()[1:] == ["2026-03-28,CP-1,1,1000,3600,0", "2026-03-29,CP-1,1,2500,3600,0"]
    assert backup.code == 0
    assert of_copy.out == as_json.out
    # A copy is a database like any other.
    async with running_server(tmp_path / "copy.db") as server:
        assert (await server.get("/api/v1/transactions"))["items"] == listed
