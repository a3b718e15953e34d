"""The systemd unit: sound, hardened, and the server really runs within its limits."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from ocpp.v16 import call

from mcpp.errors import MISUSE, TRY_AGAIN
from mcpp.settings import Settings, variable
from tests.acceptance.charger import connected_charger
from tests.acceptance.server import Server
from tests.deploy import confined
from tests.deploy.programs import DEPLOY, run
from tests.programs import program

UNIT = DEPLOY / "systemd" / "mcpp.service"


@pytest.fixture
def analyze() -> str:
    return program("systemd-analyze", "systemd")


def directives() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def test_systemd_finds_no_fault(analyze: str, tmp_path: Path) -> None:
    units = [tmp_path / name for name in ("mcpp.service", "mcpp-backup.service", "mcpp-backup.timer")]
    for unit in units:
        text = (UNIT.parent / unit.name).read_text()
        unit.write_text(re.sub("^ExecStart=/opt/mcpp/bin/mcpp", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    verified = run(analyze, "verify", "--man=no", *units)

    assert (verified.returncode, verified.stdout) == (0, "")


def test_its_exposure_is_low(analyze: str) -> None:
    rated = run(analyze, "security", "--offline=yes", "--no-pager", "--threshold=15", UNIT)

    assert rated.returncode == 0, rated.stdout


def test_its_variables_are_settings() -> None:
    names = {assignment.partition("=")[0] for assignment in directives()["Environment"]}

    assert names
    assert names <= {variable(name) for name in Settings.model_fields}


def test_it_tries_again_for_ever_what_may_pass_and_never_what_may_not() -> None:
    found = directives()

    assert found["Restart"] == ["on-failure"]
    assert found["RestartPreventExitStatus"] == [str(MISUSE)] != [str(TRY_AGAIN)]
    assert found["StartLimitIntervalSec"] == ["0"]


def allowed_calls(analyze: str) -> set[str]:
    """What is left of SystemCallFilter=, its groups spelled out by systemd."""
    calls: set[str] = set()
    for value in directives()["SystemCallFilter"]:
        names = set[str]().union(*(expanded(analyze, group) for group in value.removeprefix("~").split()))
        calls = calls - names if value.startswith("~") else calls | names
    # Always allowed, whatever the list says (systemd.exec).
    return calls | expanded(analyze, "@default") | {"execve"}


def families() -> str:
    """Of RestrictAddressFamilies=, for confined.py."""
    [value] = directives()["RestrictAddressFamilies"]
    return ",".join(value.split())


def expanded(analyze: str, name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    lines = run(analyze, "syscall-filter", "--no-pager", name).stdout.splitlines()[1:]
    members = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return set[str]().union(*(expanded(analyze, member) for member in members))


async def test_the_server_serves_within_its_system_calls_and_memory_rules(analyze: str, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.write_text("\n".join(sorted(allowed_calls(analyze))))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        confined.__file__,
        *(calls, families()),
        *(sys.executable, "-m", "mcpp", "serve", "--database", tmp_path / "mcpp.db"),
        # On all addresses, as by default: then it looks for the machine's own, to tell them.
        *("--ocpp-host", "0.0.0.0", "--ocpp-port", "0", "--http-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("MCPP_")},
    )
    server = Server(process)
    server._reader = asyncio.create_task(server._read())
    try:
        started = await server.wait_for_line(lambda line: line["event"] == "server_started", 30)
        server.ocpp_port, server.http_port = started["ocpp_port"], started["http_port"]
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await charger.ask(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
            begun = await charger.ask(
                call.StartTransaction(connector_id=1, id_tag="T", meter_start=0, timestamp="2026-01-01T00:00:00Z")
            )
            await charger.ask(
                call.StopTransaction(
                    meter_stop=10, timestamp="2026-01-01T01:00:00Z", transaction_id=begun.transaction_id
                )
            )
        transaction = await server.get(f"/api/v1/transactions/{begun.transaction_id}")
        assert await server.terminate() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await server._reader

    assert transaction["energy_wh"] == 10
    assert not [line for line in server.lines if line["level"] == "error"]


def test_the_confinement_confines(analyze: str, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.write_text("\n".join(sorted(allowed_calls(analyze))))
    for forbidden in (
        "import os; os.setpriority(0, 0, 5)",
        "import mmap; mmap.mmap(-1, 4096, prot=7)",
        "import socket; socket.socket(socket.AF_NETLINK)",
    ):
        refused = run(sys.executable, confined.__file__, calls, families(), sys.executable, "-c", forbidden)

        assert refused.returncode == 1
        assert re.search("PermissionError|Permission denied|family not supported", refused.stdout), refused.stdout
