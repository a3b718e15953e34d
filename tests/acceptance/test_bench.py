"""The benchmarks run and measure what they say; how long anything takes is nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.acceptance.warm import WarmPopen
from tools.bench import compare, servers, telemetry, versions
from tools.bench.__main__ import main
from tools.bench.child import HERE, process
from tools.bench.markdown import marks

SERVERS = [compare.MCPP, compare.FULL, compare.BEFORE, compare.OCPP.name, compare.ECHO.name]


def run(tmp_path: Path, *arguments: str) -> Any:
    """The figures, as JSON."""
    figures = tmp_path / "figures.json"
    main([*arguments, "--json", str(figures)])
    return json.loads(figures.read_text("utf-8"))


@contextmanager
def forked(
    *command: str, cpus: frozenset[int], folder: Path, variables: Mapping[str, str], output: IO[bytes]
) -> Iterator[WarmPopen | subprocess.Popen[bytes]]:
    """As `tools.bench.child.process`, but that this checkout's servers are forked from one that is loaded."""
    if folder != HERE:
        with process(*command, cpus=cpus, folder=folder, variables=variables, output=output) as running:
            yield running
        return
    program, arguments = command[:3], command[3:]
    assert program == (sys.executable, "-m", "mcpp")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    server = WarmPopen(arguments, {**inherited, **variables}, output=output, directory=folder)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(autouse=True)
def quick_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "process", forked)


def test_every_server_is_compared_at_every_workload(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    begin, end = marks("compare")
    document.write_text(f"Before.\n\n{begin}\n\nOld figures.\n\n{end}\n\nAfter.\n", "utf-8")
    checkout = tmp_path / "another"
    checkout.mkdir()
    for folder in ("mcpp", "generated"):
        (checkout / folder).symlink_to(HERE / folder)
    found = run(tmp_path, "compare", "--quick", "--against", str(checkout), "--write", str(document))

    compared = [(turn["workload"], turn["server"]) for turn in found["turns"]]
    assert compared == [(workload, server) for workload in compare.WORKLOADS for server in SERVERS]
    for turn in found["turns"]:
        assert turn["messages"] > 0
        assert turn["cpu"] > 0
        # A call and its answer; the peers log nothing.
        assert turn["lines"] == (2 * turn["messages"] if turn["server"] in SERVERS[:3] else 0)
    assert list(found["spans"]) == SERVERS[:3]
    for spans in found["spans"].values():
        assert spans["exported"] > 0
        assert spans["failed"] == spans["dropped"] == 0
    assert [(memory["server"], list(memory["connection_bytes"])) for memory in found["memory"]] == [
        (compare.MCPP, ["10", "20"])
    ]

    text = document.read_text("utf-8")
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "Old figures" not in text
    for workload in compare.WORKLOADS:
        assert f"| {workload} | messages per CPU second |" in text


def test_versions_are_compared_at_the_same_samples(tmp_path: Path) -> None:
    found = run(tmp_path, "versions", "--turns", "1", "--seconds", "0.1", "--connections", "2", "--version", "2.1")

    compared = [(turn["workload"], turn["server"]) for turn in found["turns"]]
    assert compared == [(workload, server) for workload in versions.WORKLOADS for server in ("1.6", "2.1")]
    for turn in found["turns"]:
        assert turn["messages"] > 0
        assert turn["lines"] == 2 * turn["messages"]


def test_every_telemetry_variant_has_what_it_says(tmp_path: Path) -> None:
    found = run(tmp_path, "telemetry", "--turns", "1", "--seconds", "0.1", "--connections", "3")
    assert {turn["workload"] for turn in found["turns"]} == set(telemetry.WORKLOADS)
    for turn in found["turns"]:
        assert turn["lines"] == (0 if turn["server"] == telemetry.QUIET else 2 * turn["messages"])
    messages = sum(turn["messages"] for turn in found["turns"] if turn["server"] == telemetry.EVERY_SPAN)
    # Of a message, its write transaction, its place in the session.
    assert found["spans"][telemetry.EVERY_SPAN]["exported"] > messages
    assert found["spans"][telemetry.EVERY_SPAN]["dropped"] == 0
    assert all(not spans["exported"] for name, spans in found["spans"].items() if name == telemetry.DEFAULT)


def test_scrapes_are_measured_beside_steady_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ("--chargers", "3", "--connected", "2", "--limit", "2", "--rate", "20")
    found = run(tmp_path, "scrape", *small, "--seconds", "1", "--interval", "0.5", "--windows", "1")
    assert found["scrapes"] == 2
    assert found["series"] > 100
    assert [answers["messages"] for answers in found["answers"][:2]] == [20, 20]
    assert "3 chargers known, 2 connected, at most 2 with series" in capsys.readouterr().out
