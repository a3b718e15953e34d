"""How plugins are told of events, and what becomes of those that fail, block or are too slow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcpp.domain.events import Event, HeartbeatReceived, MeterValuesReceived
from mcpp.plugins import Site
from mcpp.plugins.worker import HookTimeout, PluginLimits
from mcpp.reads.event_json import EVENT_KINDS, event_name
from tests.events import EVERY, MEASURED
from tests.integration.plugins.at_work import PATIENCE, at_work, both, heartbeat, plugin, until
from tests.integration.plugins.faulty_hooks import cancels, exits, raises, waits_for_ever


def test_there_is_an_event_of_every_kind() -> None:
    assert [type(event) for event in EVERY] == list(EVENT_KINDS)


@both
@pytest.mark.parametrize("event", EVERY, ids=lambda event: event_name(type(event)))
async def test_every_event_reaches_its_hook_and_the_one_for_all(tmp_path: Path, trusted: bool, event: Event) -> None:
    heard: list[tuple[str, Event]] = []

    def own(event: Event) -> None:
        heard.append(("own", event))

    async def for_all(event: Event, site: Site) -> None:
        heard.append(("all", event))

    hooks: dict[str, Any] = {event_name(type(event)): own, "event_published": for_all}
    async with at_work(tmp_path, plugin("p", trusted, **hooks)) as work:
        work.publish(event)
        await until(lambda: len(heard) == 2)

    assert heard == [("own", event), ("all", event)]


@both
async def test_the_server_s_start_and_end_are_told_and_events_wait_for_the_start(tmp_path: Path, trusted: bool) -> None:
    order: list[str] = []
    go_on = threading.Event()

    async def server_started() -> None:
        while not go_on.is_set():
            await asyncio.sleep(0)
        order.append("started")

    async with at_work(
        tmp_path,
        plugin(
            "p",
            trusted,
            server_started=server_started,
            heartbeat_received=lambda event: order.append("heartbeat"),
            server_stopping=lambda: order.append("stopping"),
        ),
    ) as work:
        work.publish(heartbeat())
        go_on.set()
        await until(lambda: "heartbeat" in order)

    assert order == ["started", "heartbeat", "stopping"]


@both
async def test_a_charge_point_s_events_come_in_order_and_a_slow_one_holds_up_no_other(
    tmp_path: Path, trusted: bool
) -> None:
    told: list[tuple[str, str]] = []
    go_on = threading.Event()

    async def heartbeat_received(event: HeartbeatReceived) -> None:
        while event.charge_point_id == "SLOW" and not go_on.is_set():
            await asyncio.sleep(0)
        told.append((event.charge_point_id, event.correlation_id))

    async with at_work(tmp_path, plugin("p", trusted, heartbeat_received=heartbeat_received)) as work:
        for number in range(100):
            work.publish(heartbeat("SLOW", str(number)), heartbeat("FAST", str(number)))
        await until(lambda: len(told) == 100)
        assert told == [("FAST", str(number)) for number in range(100)]

        go_on.set()
        await until(lambda: len(told) == 200)
        assert told[100:] == [("SLOW", str(number)) for number in range(100)]


async def _does_not_let_itself_be_cancelled() -> None:
    deadline = asyncio.get_running_loop().time() + 0.2
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
            if asyncio.get_running_loop().time() > deadline:
                return


@both
@pytest.mark.parametrize("fault", [raises, cancels, exits, waits_for_ever, _does_not_let_itself_be_cancelled])
async def test_a_hook_that_fails_is_counted_and_the_next_event_is_told(
    tmp_path: Path, trusted: bool, fault: Any
) -> None:
    told: list[str] = []

    async def heartbeat_received(event: HeartbeatReceived) -> None:
        if event.correlation_id == "bad":
            await fault()
        told.append(event.correlation_id)

    limits = PluginLimits(hook_timeout=0.1)
    async with at_work(tmp_path, plugin("p", trusted, heartbeat_received=heartbeat_received), limits=limits) as work:
        work.publish(heartbeat(correlation_id="bad"), heartbeat(correlation_id="good"))
        await until(lambda: "good" in told)

    assert work.seen.failures == {("p", "heartbeat_received"): 1}
    assert work.seen.calls == {("p", "heartbeat_received"): 2}


async def test_a_function_that_blocks_keeps_its_own_plugin_only_and_is_told_of(tmp_path: Path) -> None:
    go_on = threading.Event()
    heard: list[Event] = []

    def blocks(event: HeartbeatReceived) -> None:
        go_on.wait(30)

    limits = PluginLimits(hook_timeout=0.05, queue=3)
    async with at_work(
        tmp_path,
        plugin("bad", False, heartbeat_received=blocks),
        plugin("good", False, heartbeat_received=lambda event: heard.append(event)),
        limits=limits,
    ) as work:
        work.publish(heartbeat())
        await until(lambda: len(heard) == 1)

        async def more_until(condition: Callable[[], object]) -> None:
            while not condition():
                work.publish(heartbeat())
                await asyncio.sleep(0.001)

        bad = ("bad", "heartbeat_received")
        await asyncio.wait_for(more_until(lambda: bad in work.seen.failures and bad in work.seen.dropped), PATIENCE)
        # On a machine that is busy the good one may miss some, too; but it hears on.
        so_far = len(heard)
        await asyncio.wait_for(more_until(lambda: len(heard) > so_far), PATIENCE)
        go_on.set()

    assert isinstance(work.seen.errors[0], HookTimeout)


async def test_a_function_that_computes_for_long_is_reported_and_the_plugin_goes_on_after_it(tmp_path: Path) -> None:
    told: list[str] = []
    enough = threading.Event()

    def heartbeat_received(event: HeartbeatReceived) -> None:
        while event.correlation_id == "bad" and not enough.is_set():
            told.count("bad")
        told.append(event.correlation_id)

    limits = PluginLimits(hook_timeout=0.05)
    async with at_work(tmp_path, plugin("p", False, heartbeat_received=heartbeat_received), limits=limits) as work:
        work.publish(heartbeat(correlation_id="bad"), heartbeat("CP-2", "good"), heartbeat(correlation_id="good"))
        await until(lambda: len(work.seen.errors) >= 2)
        assert told == []
        enough.set()
        await until(lambda: len(told) == 3)

    assert told == ["bad", "good", "good"]
    assert {type(error) for error in work.seen.errors} == {HookTimeout}


@both
async def test_of_too_many_events_the_newest_are_dropped_and_counted(tmp_path: Path, trusted: bool) -> None:
    told: list[str] = []

    def heartbeat_received(event: HeartbeatReceived) -> None:
        told.append(event.correlation_id)

    limits = PluginLimits(queue=10)
    hears = plugin("p", trusted, heartbeat_received=heartbeat_received)
    async with at_work(tmp_path, hears, limits=limits, started=False) as work:
        for number in range(25):
            work.publish(heartbeat(correlation_id=str(number)))
        work.plugins.start()
        await until(lambda: len(told) == 10)
        assert work.seen.dropped == {("p", "heartbeat_received"): 15}

        work.publish(heartbeat(correlation_id="later"))
        await until(lambda: len(told) == 11)

    assert told == [*map(str, range(10)), "later"]


@both
async def test_of_too_many_bytes_the_newest_are_dropped_and_counted(tmp_path: Path, trusted: bool) -> None:
    told: list[int] = []
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def meter_values_received(event: MeterValuesReceived) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go_on.wait(), loop))
        told.append(event.connector_id)

    def large(number: int) -> MeterValuesReceived:
        return replace(MEASURED, connector_id=number, samples=[MEASURED.samples[0]._replace(value="9" * 100_000)])

    hears = plugin("p", trusted, meter_values_received=meter_values_received)
    async with at_work(tmp_path, hears, limits=PluginLimits(queue_bytes=350_000)) as work:
        for number in range(8):
            work.publish(large(number))
        assert work.seen.dropped["p", "meter_values_received"] in {4, 5}
        go_on.set()
        await until(lambda: len(told) + work.seen.dropped["p", "meter_values_received"] == 8)
        work.publish(large(9))
        await until(lambda: told[-1] == 9)

    assert told[:3] == [0, 1, 2]


async def test_what_is_not_heard_costs_nothing(tmp_path: Path) -> None:
    async with at_work(tmp_path, plugin("p", server_started=lambda: None), limits=PluginLimits(queue=0)) as work:
        work.publish(heartbeat())

    assert not work.plugins.asks("authorize")
    assert not work.plugins.asks("data_transfer_received")
    assert work.seen.dropped == {}


@both
async def test_tasks_that_a_plugin_leaves_behind_end_with_the_server(tmp_path: Path, trusted: bool) -> None:
    left: list[asyncio.Task[Any]] = []

    async def heartbeat_received() -> None:
        left.append(asyncio.ensure_future(asyncio.Event().wait()))

    async with at_work(tmp_path, plugin("p", trusted, heartbeat_received=heartbeat_received)) as work:
        work.publish(*(heartbeat() for _ in range(100)))
        await until(lambda: len(left) == 100)
    if trusted:
        for task in left:
            task.cancel()
        await asyncio.wait(left)

    assert all(task.cancelled() for task in left)
