"""What systemd is told, on real datagram sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcpp.server.systemd import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd has one, and its name as NOTIFY_SOCKET gives it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@mcpp-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1))
        listener.settimeout(10)
        yield listener, name


def test_each_message_is_a_datagram(heard: tuple[socket.socket, str]) -> None:
    listener, name = heard
    manager = ServiceManager({"NOTIFY_SOCKET": name})
    manager.ready("chargers on port 9000\nMAINPID=1")
    manager.status("writer stalled")
    manager.alive()
    manager.stopping()

    assert [listener.recv(4096).decode() for _ in range(4)] == [
        "READY=1\nSTATUS=chargers on port 9000 MAINPID=1",
        "STATUS=writer stalled",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=stopping",
    ]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/no/such/socket"}])
def test_where_nobody_listens_nothing_happens(environment: dict[str, str]) -> None:
    ServiceManager(environment).ready("up")


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_how_long_systemd_waits(variables: dict[str, str], seconds: float | None) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "@x", **variables}).watchdog_seconds == seconds


def test_nobody_waits_without_a_socket() -> None:
    assert ServiceManager({"WATCHDOG_USEC": "30000000"}).watchdog_seconds is None
