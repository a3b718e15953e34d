"""The watchdog over a real loop, a real writer and a plugin at work: what stands still is named, once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcpp.plugins.loading import Hook, Plugin
from mcpp.plugins.worker import PluginLimits, Worker
from mcpp.server.systemd import ServiceManager
from mcpp.server.watchdog import Watchdog, Watched
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp.telemetry.loop_lag import LoopLag
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tests.events import HEARTBEAT
from tests.integration.plugins.at_work import Seen

LIMIT = 0.2


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


class Stalls:
    """Blocks a thread until the watchdog has said so."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._said = threading.Event()

    def heard(self, part: str) -> None:
        self.parts.append(part)
        self._said.set()

    def block(self) -> None:
        assert self._said.wait(20), "the watchdog has said nothing"


async def said(lines: list[Any], event: str) -> Any:
    async with asyncio.timeout(20):
        while True:
            for line in lines:
                if line["event"] == event:
                    return line
            await asyncio.sleep(0.01)


def watching(stalls: Stalls, part: str, thread: threading.Thread, since: Callable[[], float | None]) -> Watchdog:
    watchdog = Watchdog(ServiceManager({}), stalls.heard, poll_seconds=0.02)
    watchdog.watch(Watched(part, thread, since, LIMIT))
    watchdog.start()
    return watchdog


async def test_a_plugin_that_blocks_the_loop_is_named_once_and_again_when_it_is_over(lines: list[Any]) -> None:
    stalls = Stalls()

    def heartbeat_received(event: object) -> None:
        stalls.block()

    hooks = {"heartbeat_received": Hook("heartbeat_received", heartbeat_received, ("event",))}
    plugin = Plugin("sleepy", hooks, trusted=True)
    worker = Worker(plugin, asyncio.get_running_loop(), Seen(), {type(HEARTBEAT): list(hooks.values())}, PluginLimits())
    lag = LoopLag(lambda _: None, interval=0.02)
    lag.start()
    watchdog = watching(stalls, "event_loop", threading.current_thread(), lambda: lag.ticked_at)
    await worker.start(object())  # type: ignore[arg-type]  # the hook asks for no site
    asyncio.get_running_loop().call_soon(worker.offer, HEARTBEAT, _no_cause())
    over = await said(lines, "event_loop_resumed")
    watchdog.stop()
    lag.stop()
    (stalled,) = [line for line in lines if line["event"] == "event_loop_stalled"]

    assert stalls.parts == ["event_loop"]
    assert stalled["plugin"] == over["plugin"] == "sleepy"
    assert "Stalls.block:" in stalled["at"]
    assert "heartbeat_received" in stalled["stack"]
    assert stalled["log_level"] == "warning"
    assert over["seconds"] >= stalled["seconds"] >= LIMIT


async def test_a_batch_of_the_writer_that_takes_too_long_is_named(lines: list[Any], tmp_path: Path) -> None:
    stalls = Stalls()
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    writer: Writer[Queries] = Writer(connection, SqliteQueries(connection))
    watchdog = watching(stalls, "writer", writer.thread, lambda: writer.writing_since)

    def slow_rule(_: Queries) -> float:
        stalls.block()
        return perf_counter()

    await writer.submit(slow_rule)
    over = await said(lines, "writer_resumed")
    watchdog.stop()
    await writer.close()
    (stalled,) = [line for line in lines if line["event"] == "writer_stalled"]

    assert stalls.parts == ["writer"]
    assert "Stalls.block:" in stalled["at"]
    assert "slow_rule" in stalled["stack"]
    assert over["seconds"] >= LIMIT


async def test_what_goes_round_is_not_spoken_of(lines: list[Any]) -> None:
    stalls, looks = Stalls(), threading.Semaphore(0)

    def since() -> float:
        looks.release()
        return perf_counter()

    watchdog = watching(stalls, "event_loop", threading.current_thread(), since)
    for _ in range(20):
        assert await asyncio.to_thread(looks.acquire, timeout=20)
    watchdog.stop()

    assert (lines, stalls.parts) == ([], [])


def _no_cause() -> Any:
    from mcpp.ocppj.flow import TraceContext, new_correlation_id

    return TraceContext(new_correlation_id(), 0)
