"""`make demo`, the README's first promise: what a person sees, and that nothing of it stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import ROOT, make


class Demo:
    """Runs it in an empty directory, which also has to hold its temporary files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """In a process group of its own, which a terminal's Ctrl-C would reach."""
        return subprocess.Popen(
            [sys.executable, "-m", "tools.demo", *arguments],
            cwd=self.directory,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.directory)} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def assert_nothing_stays(self, process: subprocess.Popen[str]) -> None:
        assert list(self.directory.iterdir()) == []
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def messages(shown: str) -> list[str]:
    """The action, what was sent and what came back, of each message."""
    return [" ".join(line.split()[2:]) for line in shown.splitlines() if line.startswith("  DEMO-1 → ")]


def test_make_demo_runs_it() -> None:
    program = ["exec", ".venv/bin/python", "-m", "tools.demo"]
    assert make("--dry-run", "demo").split()[-4:] == program
    assert make("--dry-run", "demo", "VERSION=2.1").split()[-6:] == [*program, "--version", "'2.1'"]


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="as_it_is"),
        pytest.param({"MCPP_REGISTRATION": "closed", "MCPP_API_TOKEN": "t0ken"}, id="whatever_the_settings"),
        pytest.param({"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}, id="behind_a_proxy"),
    ],
)
def test_a_whole_session_is_shown(demo: Demo, variables: dict[str, str]) -> None:
    with demo.start("--pace", "0", **variables) as process:
        shown, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    sent = messages(shown)
    assert [line.split()[0] for line in sent] == [
        "BootNotification",
        "StatusNotification",
        "StatusNotification",
        "Authorize",
        "StartTransaction",
        "StatusNotification",
        *["MeterValues"] * 8,
        "Heartbeat",
        "StopTransaction",
        "StatusNotification",
    ]
    assert sent[0].startswith('BootNotification MCPP Demo, firmware 1.0 ← {"status":"Accepted",')
    assert sent[4].endswith('"transactionId":1}')
    assert sent[13].startswith("MeterValues 7.36 kWh at 11.0 kW ")
    api = dict(re.findall(r"^  (\w+) +(\S+)$", shown.partition("GET /api/v1/transactions/1\n")[2], re.MULTILINE))
    facts = ("meter_start", "meter_stop", "energy_wh", "stop_reason", "stop_origin")
    assert [api[name] for name in facts] == ["1204300", "1211660", "7360", '"EVDisconnected"', '"charger"']
    assert shown.endswith("\nThe same with your own charger: make run\n")
    assert "\x1b" not in shown
    demo.assert_nothing_stays(process)


def test_a_whole_session_of_a_station_with_evses_is_shown(demo: Demo) -> None:
    with demo.start("--pace", "0", "--version", "2.0.1") as process:
        shown, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert "this one speaks OCPP 2.0.1\n" in shown
    sent = [line for line in messages(shown) if not line.startswith("NotifyReport")]
    assert [line.split()[0] for line in sent] == [
        "BootNotification",
        *["StatusNotification"] * 3,
        "TransactionEvent",
        "Authorize",
        *["TransactionEvent"] * 10,
        "Heartbeat",
        "TransactionEvent",
        "StatusNotification",
    ]
    assert sent[0].startswith("BootNotification MCPP Demo, firmware 1.0 ← {")
    assert sent[6].startswith('TransactionEvent Updated, Authorized ← {"idTokenInfo":{"status":"Accepted"')
    assert sent[15].startswith("TransactionEvent 7.36 kWh at 11.0 kW ")
    api = dict(re.findall(r"^  (\w+) +(\S+)$", shown.partition("GET /api/v1/transactions/1\n")[2], re.MULTILINE))
    facts = ("evse_id", "connector_id", "meter_start", "meter_stop", "energy_wh", "stop_reason", "stop_origin")
    assert [api[name] for name in facts] == ["1", "1", "1204300", "1211660", "7360", '"EVDisconnected"', '"charger"']
    demo.assert_nothing_stays(process)


def test_a_version_that_there_is_not(demo: Demo) -> None:
    with demo.start("--version", "2.0") as process:
        shown, errors = process.communicate(timeout=60)

    assert (process.returncode, shown) == (2, "")
    assert "invalid choice: '2.0'" in errors
    assert all(version in errors for version in ("1.6", "2.0.1", "2.1"))


def test_ctrl_c_ends_it(demo: Demo) -> None:
    with demo.start("--pace", "3600") as process:
        assert process.stdout is not None
        shown = ""
        while not messages(shown):
            line = process.stdout.readline()
            assert line, "it ended by itself"
            shown += line
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=30)

    assert (process.returncode, rest) == (130, "")
    assert "Traceback" not in errors
    demo.assert_nothing_stays(process)
