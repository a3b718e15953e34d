"""The Tab key: a real bash for one, click's protocol for the rest."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from mcpp_generated import ocpp16, ocpp21, ocpp201
from tests.integration.cli.api import Api
from tests.integration.cli.command import Mcpp, clean_environment


def completions(mcpp: Mcpp, line: str, **variables: str) -> list[str]:
    """What the shell is offered at the end of a command line."""
    words = shlex.split(line)
    last = len(words) if line.endswith(" ") else len(words) - 1
    ended = mcpp(_MCPP_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(last), **variables)
    assert (ended.code, ended.err) == (0, "")
    return [line.split(",", 1)[1] for line in ended.out.splitlines() if line]


def test_commands(mcpp: Mcpp) -> None:
    assert completions(mcpp, "mcpp ") == [
        *("backup", "ca", "call", "check-config", "conformance", "deploy", "export", "import", "migrate"),
        *("report", "restore", "serve", "status", "token", "trace"),
    ]
    assert completions(mcpp, "mcpp import ") == ["charge-points", "id-tags", "people", "steve"]


def test_every_operation_of_a_central_system(mcpp: Mcpp) -> None:
    offered = completions(mcpp, "mcpp call CP-1 ")

    assert offered == sorted({*ocpp16.COMMANDS, *ocpp201.COMMANDS, *ocpp21.COMMANDS})
    assert len(ocpp16.COMMANDS) == 26


def test_letter_case_of_an_operation_does_not_matter(mcpp: Mcpp) -> None:
    assert completions(mcpp, "mcpp call CP-1 remotes") == ["RemoteStartTransaction", "RemoteStopTransaction"]


def test_charge_points_of_the_running_server(mcpp: Mcpp, api: Api) -> None:
    items: list[JsonValue] = [
        {"id": identity, "vendor": "Acme", "model": None} for identity in ("CP-1", "CP-2", "Other")
    ]
    api.answers(200, {"items": items, "next_cursor": None})

    offered = completions(mcpp, f"mcpp call --api-url {api.url} --api-token t0ken CP")

    assert offered == ["CP-1", "CP-2"]
    (request,) = api.requests
    assert request.target == "/api/v1/charge-points?connected=true&limit=1000"
    assert request.authorization == "Bearer t0ken"


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"items": 7}', b'{"code": "unauthorized"}'])
def test_no_charge_points_and_no_complaint_from_anything_else(mcpp: Mcpp, api: Api, body: bytes) -> None:
    api.body = body

    assert completions(mcpp, "mcpp call ", MCPP_API_URL=api.url) == []
    assert completions(mcpp, "mcpp call ", MCPP_API_URL="http://127.0.0.1:1") == []
    assert completions(mcpp, "mcpp call ", MCPP_API_URL="nonsense") == []


def test_time_zones(mcpp: Mcpp) -> None:
    assert completions(mcpp, "mcpp report --timezone Europe/Berl") == ["Europe/Berlin"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_in_bash_as_documented(api: Api, tmp_path: Path) -> None:
    api.answers(200, {"items": [{"id": "CP-1", "vendor": None, "model": None}], "next_cursor": None})
    command = tmp_path / "mcpp"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mcpp "$@"\n')
    command.chmod(0o755)
    script = """
        eval "$(_MCPP_COMPLETE=bash_source mcpp)"
        complete -p mcpp > /dev/null || exit 1
        COMP_WORDS=(mcpp call CP); COMP_CWORD=2; _mcpp_completion mcpp; echo "${COMPREPLY[@]}"
        COMPREPLY=()
        COMP_WORDS=(mcpp call CP-1 Trig); COMP_CWORD=3; _mcpp_completion mcpp; echo "${COMPREPLY[@]}"
    """
    environment = clean_environment(MCPP_API_URL=api.url)
    run = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment | {"PATH": f"{tmp_path}:{environment['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == ["CP-1", "TriggerMessage"]


def test_no_heavy_module_is_imported_for_help() -> None:
    script = "import sys; sys.argv = ['mcpp', '--help']; from mcpp.cli import main; main(); print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], env=clean_environment(), capture_output=True, text=True, timeout=60, check=True
    )

    loaded = set(run.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & {"pydantic", "httpx", "fastapi", "asyncio", "sqlite3", "mcpp.settings", "mcpp_generated"}
