"""A server that stands still says what at, and systemd hears that it lives only while it does."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ocpp.v16 import call

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import running_server
from tests.acceptance.test_plugins import counted, module

# It's made on the server's loop, and so can do what no plugin should: have its function called there.
BLOCKS_THE_LOOP = """
    def __init__(self):
        self.loop = asyncio.get_running_loop()

    @hookimpl
    def heartbeat_received(self, event):
        self.loop.call_soon_threadsafe(block)

def block():
    import os
    while not os.path.exists(os.environ["RELEASE"]):
        time.sleep(0.01)
"""

# A pattern that takes seconds, in C: no other thread of Python runs meanwhile, the server's included.
HOLDS_THE_INTERPRETER = """
    @hookimpl
    def heartbeat_received(self, event):
        import os, re
        began, length = time.monotonic(), 20
        while not os.path.exists(os.environ["RELEASE"]) and time.monotonic() - began < 60:
            before = time.monotonic()
            re.match("(a+)+$", "a" * length + "b")
            length += time.monotonic() - before < 1.5
"""


@pytest.fixture
def systemd() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0mcpp-test-{os.getpid()}")
        listener.setblocking(False)
        yield listener


def notifying(seconds: float) -> dict[str, str]:
    return {"NOTIFY_SOCKET": f"@mcpp-test-{os.getpid()}", "WATCHDOG_USEC": str(int(seconds * 1_000_000))}


async def heard(listener: socket.socket, wanted: str, within: float = 20) -> list[str]:
    """What came up to a message that begins so."""
    messages: list[str] = []
    async with asyncio.timeout(within):
        while not messages or not messages[-1].startswith(wanted):
            messages.append((await asyncio.get_running_loop().sock_recv(listener, 4096)).decode())
    return messages


async def test_systemd_hears_of_the_start_of_life_and_of_the_end(tmp_path: Path, systemd: socket.socket) -> None:
    async with running_server(tmp_path / "mcpp.db", variables=notifying(2)) as server:
        *_, ready = await heard(systemd, "READY=1")
        alive = [await heard(systemd, "WATCHDOG=1") for _ in range(3)]
        assert await server.terminate() == 0
        stopping = await heard(systemd, "STOPPING=1")

    assert f"STATUS=chargers on port {server.ocpp_port}, HTTP on port {server.http_port}" in ready
    assert alive == [["WATCHDOG=1"]] * 3
    assert "READY=1" not in "".join(stopping)


async def test_without_a_watchdog_systemd_hears_of_start_and_end_only(tmp_path: Path, systemd: socket.socket) -> None:
    variables = {"NOTIFY_SOCKET": notifying(1)["NOTIFY_SOCKET"]}
    async with running_server(tmp_path / "mcpp.db", variables=variables) as server:
        await heard(systemd, "READY=1")
        assert await server.terminate() == 0

    assert await heard(systemd, "STOPPING=1") == ["STOPPING=1\nSTATUS=stopping"]


async def test_a_loop_that_is_blocked_is_named_and_systemd_hears_no_more_until_it_goes_on(
    tmp_path: Path, systemd: socket.socket
) -> None:
    release = tmp_path / "release"
    variables = module(tmp_path, BLOCKS_THE_LOOP) | notifying(2) | {"RELEASE": str(release)}
    async with (
        running_server(tmp_path / "mcpp.db", "--plugins", "site_logic:plugin", variables=variables) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charger.ask(call.Heartbeat())
        stalled = await server.wait_for_line(lambda line: line["event"] == "event_loop_stalled")
        await heard(systemd, "STATUS=event loop stalled at site_logic.block")
        with pytest.raises(TimeoutError):
            await heard(systemd, "WATCHDOG=1", within=1.5)
        release.touch()
        over = await server.wait_for_line(lambda line: line["event"] == "event_loop_resumed")
        await heard(systemd, "WATCHDOG=1")
        said = [line["event"] for line in server.lines if line["event"].startswith("event_loop_")]
        stalls = await counted(server, "mcpp_stalls_total", part="event_loop")

    assert stalled["at"].startswith("site_logic.block:")
    assert "site_logic.block:" in stalled["stack"]
    assert over["at"] == stalled["at"]
    assert over["seconds"] > stalled["seconds"] >= 1
    assert said == ["event_loop_stalled", "event_loop_resumed"]
    assert stalls == 1


async def test_a_plugin_that_keeps_the_interpreter_is_found_by_its_thread(tmp_path: Path) -> None:
    release = tmp_path / "release"
    variables = module(tmp_path, HOLDS_THE_INTERPRETER) | {"RELEASE": str(release)}
    async with (
        running_server(tmp_path / "mcpp.db", "--plugins", "site_logic:plugin", variables=variables) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charger.ask(call.Heartbeat())
        # A busy machine may have stalled it before.
        stalled = await server.wait_for_line(
            lambda line: (
                line["event"] == "event_loop_stalled"
                and any("heartbeat_received" in place for place in line.get("threads", {}).values())
            ),
            60,
        )
        release.touch()

    assert stalled["interpreter_held"] is True
