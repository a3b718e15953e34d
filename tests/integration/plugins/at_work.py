"""Plugins at work on real books, without a listener: a test publishes what would have happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pluggy
import pytest

from mcpp.csms.commands import Commands
from mcpp.domain.events import Event, HeartbeatReceived
from mcpp.domain.stamps import StampBook
from mcpp.ocpp16.operations import Ocpp16Operations
from mcpp.ocppj.flow import TraceContext
from mcpp.plugins.hookspecs import PROJECT, HookSpecs, hookimpl
from mcpp.plugins.loading import Hook, Plugin
from mcpp.plugins.local_site import SiteServices
from mcpp.plugins.manager import Plugins
from mcpp.plugins.worker import PluginLimits
from mcpp.reads.attention import Attention
from mcpp.reads.charge_points import ChargePoints
from mcpp.reads.live import LiveReadings
from mcpp.server.events import Events
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.writer import Writer
from mcpp.transport.registry import Registry
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tests.events import HEARTBEAT

PATIENCE = 10.0
"""Seconds after which a test that waits for something gives up."""

SHORT = PluginLimits(hook_timeout=0.05, job_timeout=0.05, question_timeout=0.05, drain_timeout=0.05, stop_timeout=0.05)
"""What a test runs into without waiting long."""

both = pytest.mark.parametrize("trusted", [True, False], ids=["built_in", "in_a_thread"])
"""With a built-in's place on the loop, and with a thread of its own."""


def plugin(name: str, trusted: bool = True, /, **hooks: Callable[..., object]) -> Plugin:
    """A plugin of functions, as `load_plugins` would make it."""
    made = SimpleNamespace(**{hook: hookimpl(function) for hook, function in hooks.items()})
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    manager.register(made, name)
    manager.check_pending()
    callers = manager.get_hookcallers(made) or []
    found = {c.name: Hook(c.name, i.function, i.argnames) for c in callers for i in c.get_hookimpls()}
    return Plugin(name, found, trusted)


def heartbeat(identity: str = "CP-1", correlation_id: str = "c" * 32) -> HeartbeatReceived:
    return replace(HEARTBEAT, charge_point_id=identity, correlation_id=correlation_id)


@dataclass
class SeenCall:
    """A hook that is being called."""

    calls: Counter[tuple[str, str]]
    hook: tuple[str, str]
    cause: TraceContext | None

    def end(self, *, failed: bool) -> None:
        self.calls[self.hook] += 1


@dataclass
class Seen:
    """An observer that counts."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[BaseException] = field(default_factory=list)

    def begin(self, plugin: str, hook: str, by: TraceContext | None) -> SeenCall:
        return SeenCall(self.calls, (plugin, hook), by)

    def on_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        self.failures[plugin, hook] += 1
        self.errors.append(error)

    def on_dropped(self, plugin: str, hook: str, *, first: bool) -> None:
        self.dropped[plugin, hook] += 1


@dataclass
class AtWork:
    """Running plugins."""

    plugins: Plugins
    seen: Seen
    services: SiteServices
    events: Events
    published: list[Event]
    """By plugins."""

    def publish(self, *events: Event) -> None:
        self.events.publish(events)


async def until(condition: Callable[[], object]) -> None:
    """Returns as soon as the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


async def _nothing() -> Sequence[Attention]:
    return ()


@asynccontextmanager
async def at_work(
    tmp_path: Path, *plugins: Plugin, limits: PluginLimits | None = None, started: bool = True
) -> AsyncIterator[AtWork]:
    database = tmp_path / "mcpp.db"
    connection = open_writer(database)
    migrate(connection)
    writer = Writer(connection, SqliteQueries(connection))
    readers = await SqliteReaderPool.open(database)
    registry = Registry(on_connected=lambda _: None, on_disconnected=lambda _: None)
    published: list[Event] = []
    bus = Events()

    def publish(events: Iterable[Event]) -> None:
        published.extend(events)
        bus.publish(events)

    charge_points = ChargePoints(readers, registry, StampBook(), LiveReadings())
    services = SiteServices(
        charge_points=charge_points,
        commands=Commands(registry, []),
        verbs=Ocpp16Operations(registry, charge_points.running_transaction),
        writer=writer,
        publish=publish,
        now=partial(datetime.now, UTC),
        attention=_nothing,
    )
    seen = Seen()
    manager = Plugins(plugins, services, seen, limits)
    bus.subscribe(manager)
    try:
        if started:
            manager.start()
        yield AtWork(manager, seen, services, bus, published)
    finally:
        await manager.stop()
        await readers.close()
        await writer.close()
