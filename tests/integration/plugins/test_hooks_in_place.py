"""Built-in plugins' hooks that wait for nothing are called where the event is published; order and context hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog

from mcpp.domain.events import Event, HeartbeatReceived
from mcpp.ocppj.flow import Direction, Flow, Peer, TraceContext, current_flow, current_trace_context
from mcpp.plugins import Site
from tests.integration.plugins.at_work import AtWork, at_work, both, heartbeat, plugin, until


async def started(work: AtWork, name: str = "p") -> None:
    """Wait until the plugin gets events."""
    await until(lambda: work.seen.calls[name, "server_started"])


def nothing() -> None:
    """A hook that does nothing."""


async def test_a_plain_function_is_called_at_once(tmp_path: Path) -> None:
    heard: list[Event] = []

    def heartbeat_received(event: HeartbeatReceived) -> None:
        heard.append(event)

    hears = plugin("p", True, server_started=nothing, heartbeat_received=heartbeat_received)
    async with at_work(tmp_path, hears) as work:
        await started(work)
        work.publish(heartbeat("CP-1"), heartbeat("CP-2"))
        assert [event.charge_point_id for event in heard] == ["CP-1", "CP-2"]
        assert work.seen.calls["p", "heartbeat_received"] == 2
        assert work.plugins.waiting() == {"p": 0}


@dataclass
class Gate:
    """A hook that returns an awaitable for events called `slow`, and nothing for the others."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[str] = field(default_factory=list)

    def hook(self) -> Callable[[HeartbeatReceived], Awaitable[None] | None]:
        def heartbeat_received(event: HeartbeatReceived) -> Awaitable[None] | None:
            self.heard.append(f"{event.charge_point_id} {event.correlation_id}")
            return self._wait(event) if event.correlation_id == "slow" else None

        return heartbeat_received

    async def _wait(self, event: HeartbeatReceived) -> None:
        await self.open.wait()
        self.heard.append(f"{event.charge_point_id} over")


async def test_events_wait_behind_one_of_their_charge_point_that_is_not_over(tmp_path: Path) -> None:
    gate = Gate()
    hears = plugin("p", True, server_started=nothing, heartbeat_received=gate.hook())
    async with at_work(tmp_path, hears) as work:
        await started(work)
        work.publish(heartbeat("CP-1", "slow"), heartbeat("CP-1", "next"), heartbeat("CP-2", "other"))
        assert gate.heard == ["CP-1 slow", "CP-2 other"]
        assert work.plugins.waiting() == {"p": 2}
        gate.open.set()
        await until(lambda: work.plugins.waiting() == {"p": 0})
        work.publish(heartbeat("CP-1", "at once again"))
        assert gate.heard[2:] == ["CP-1 over", "CP-1 next", "CP-1 at once again"]
        assert work.seen.calls["p", "heartbeat_received"] == 4


async def test_an_event_s_own_hook_comes_before_the_one_for_all_though_it_waits(tmp_path: Path) -> None:
    gate = Gate()

    def for_all(event: Event) -> None:
        gate.heard.append(f"all {event.correlation_id}")

    hears = plugin("p", True, server_started=nothing, heartbeat_received=gate.hook(), event_published=for_all)
    async with at_work(tmp_path, hears) as work:
        await started(work)
        work.publish(heartbeat(correlation_id="slow"), heartbeat("CP-2", "quick"))
        gate.open.set()
        await until(lambda: len(gate.heard) == 5)

    assert gate.heard == ["CP-1 slow", "CP-2 quick", "all quick", "CP-1 over", "all slow"]


@both
async def test_what_a_hook_publishes_does_not_overtake_what_it_was_called_for(tmp_path: Path, trusted: bool) -> None:
    heard: dict[str, list[str]] = {"p": [], "q": []}

    def hears(name: str) -> Callable[[HeartbeatReceived, Site], None]:
        def heartbeat_received(event: HeartbeatReceived, site: Site) -> None:
            heard[name].append(event.correlation_id)
            if name == "p" and event.correlation_id == "first":
                site.publish(heartbeat(correlation_id="second"))

        return heartbeat_received

    plugins = [plugin(name, trusted, server_started=nothing, heartbeat_received=hears(name)) for name in heard]
    async with at_work(tmp_path, *plugins) as work:
        await started(work)
        await started(work, "q")
        work.publish(heartbeat(correlation_id="first"))
        await until(lambda: len(heard["p"]) == len(heard["q"]) == 2)

    assert heard == {"p": ["first", "second"], "q": ["first", "second"]}


@both
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_hook_and_its_jobs_have_the_context_of_their_event_only(
    tmp_path: Path, trusted: bool, is_async: bool
) -> None:
    seen: list[tuple[str, Flow | None, TraceContext | None, dict[str, str]]] = []

    def look(name: str) -> None:
        context = structlog.contextvars.get_contextvars()
        seen.append((name, current_flow.get(), current_trace_context.get(), context))

    async def look_later() -> None:
        look("job")

    def plain(event: HeartbeatReceived, site: Site) -> None:
        look("hook")
        site.schedule(0, look_later)

    async def waiting(event: HeartbeatReceived, site: Site) -> None:
        plain(event, site)

    hears = plugin("p", trusted, server_started=nothing, heartbeat_received=waiting if is_async else plain)
    flow = Flow(Peer(1, "CP-1"), Direction.IN, "Heartbeat", "1", "c" * 32, 0.0, span_id=7)
    async with at_work(tmp_path, hears) as work:
        await started(work)
        token = current_flow.set(flow)
        work.publish(heartbeat("CP-1", flow.correlation_id))
        assert current_trace_context.get() is None
        assert structlog.contextvars.get_contextvars() == {}
        current_flow.reset(token)
        await until(lambda: len(seen) == 2)

    cause = TraceContext(flow.correlation_id, 7)
    assert seen == [(name, None, cause, {"charge_point_id": "CP-1"}) for name in ("hook", "job")]


@pytest.mark.parametrize("error", [RuntimeError("its fault"), SystemExit(3), asyncio.CancelledError()])
async def test_one_that_fails_at_once_is_counted_and_harms_nobody(tmp_path: Path, error: BaseException) -> None:
    heard: list[str] = []

    def fails(event: HeartbeatReceived) -> None:
        if event.correlation_id == "bad":
            raise error

    def hears(event: HeartbeatReceived) -> None:
        heard.append(event.correlation_id)

    async with at_work(
        tmp_path,
        plugin("p", True, server_started=nothing, heartbeat_received=fails),
        plugin("q", True, server_started=nothing, heartbeat_received=hears),
    ) as work:
        await started(work)
        await started(work, "q")
        work.publish(heartbeat(correlation_id="bad"), heartbeat(correlation_id="good"))
        assert heard == ["bad", "good"]
        assert work.seen.failures == {("p", "heartbeat_received"): 1}
        assert work.seen.calls["p", "heartbeat_received"] == 2
