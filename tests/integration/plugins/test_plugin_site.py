"""What the site gives a plugin: the books, a memory, commands, events and jobs; and where it sets limits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcpp.domain.charge_points import Wanted, put_charge_point
from mcpp.domain.events import Event, HeartbeatReceived
from mcpp.ocppj.errors import NotConnected
from mcpp.ocppj.flow import TraceContext, current_trace_context
from mcpp.plugins import Site
from mcpp.plugins.local_site import LocalSite
from mcpp.plugins.site_proxy import TooManyEvents
from mcpp.plugins.worker import PluginLimits, TooManyJobs
from tests.integration.plugins.at_work import SHORT, at_work, both, heartbeat, plugin, until
from tests.integration.plugins.faulty_hooks import raises, waits_for_ever


@both
async def test_it_reads_the_books(tmp_path: Path, trusted: bool) -> None:
    read: list[Any] = []

    async def server_started(site: Site) -> None:
        read.append(await site.charge_point("CP-1"))
        read.append(await site.charge_point("CP-9"))
        read.append([state.charge_point_id for state in await site.charge_points()])

    hears = plugin("p", trusted, server_started=server_started)
    async with at_work(tmp_path, hears, started=False) as work:
        for identity in ("CP-1", "CP-2"):
            wanted = Wanted(auto_start=True)
            await work.services.writer.submit(put_charge_point, identity, wanted, datetime.now(UTC))
        work.plugins.start()
        await until(lambda: len(read) == 3)

    state, unknown, all_of_them = read
    assert (state.charge_point_id, state.connected, state.accepted, state.auto_start) == (
        "CP-1",
        False,
        False,
        True,
    )
    assert (unknown, all_of_them) == (None, ["CP-1", "CP-2"])


@both
async def test_what_it_is_told_to_remember_survives(tmp_path: Path, trusted: bool) -> None:
    recalled: list[Any] = []

    async def remember(site: Site) -> None:
        await site.remember("limits", {"CP-1": [16, 32]})
        await site.remember("gone", 1)
        await site.remember("gone", None)

    async def recall(site: Site) -> None:
        recalled.append(await site.recall())

    async with at_work(tmp_path, plugin("p", trusted, server_started=remember)) as work:
        await until(lambda: work.seen.calls[("p", "server_started")])
    async with at_work(
        tmp_path, plugin("p", trusted, server_started=recall), plugin("other", trusted, server_started=recall)
    ):
        await until(lambda: len(recalled) == 2)

    assert sorted(recalled, key=len) == [{}, {"limits": {"CP-1": [16, 32]}}]


@both
async def test_a_command_to_nobody_raises(tmp_path: Path, trusted: bool) -> None:
    raised: list[Exception] = []

    async def server_started(site: Site) -> None:
        for command in (site.verbs.remote_start("CP-1", 1, "T"), site.verbs.get_configuration("CP-1")):
            try:
                await command
            except NotConnected as error:
                raised.append(error)

    async with at_work(tmp_path, plugin("p", trusted, server_started=server_started)):
        await until(lambda: len(raised) == 2)


@both
async def test_what_a_plugin_publishes_reaches_all(tmp_path: Path, trusted: bool) -> None:
    heard: list[Event] = []
    event = heartbeat("CP-7")

    def server_started(site: Site) -> None:
        site.publish(event)

    async with at_work(
        tmp_path,
        plugin("p", trusted, server_started=server_started),
        plugin("other", not trusted, heartbeat_received=lambda event: heard.append(event)),
    ) as work:
        await until(lambda: heard)

    assert heard == work.published == [event]


async def test_a_flood_of_events_is_refused(tmp_path: Path) -> None:
    async def server_started(site: Site) -> None:
        while True:
            site.publish(heartbeat())

    async with at_work(tmp_path, plugin("p", False, server_started=server_started)) as work:
        await until(lambda: work.seen.errors)

    assert isinstance(work.seen.errors[0], TooManyEvents)
    assert len(work.published) < 1000


async def test_a_flood_of_requests_is_slowed_down(tmp_path: Path) -> None:
    asked = 0

    async def ask(site: Site) -> None:
        nonlocal asked
        while True:
            await site.charge_point("CP-1")
            asked += 1

    async def server_started(site: Site) -> None:
        for _ in range(1000):
            asyncio.get_running_loop().create_task(ask(site))

    async with at_work(tmp_path, plugin("p", False, server_started=server_started)):
        await until(lambda: asked >= 100)
        loop = asyncio.get_running_loop()
        began, before = loop.time(), asked
        await until(lambda: loop.time() - began > 0.2)
        assert asked - before < 1000


@both
async def test_jobs_run_in_their_time_unless_they_are_cancelled(tmp_path: Path, trusted: bool) -> None:
    ran: list[str] = []
    cause = current_trace_context

    def job(name: str) -> Any:
        async def run() -> None:
            at_hand = cause.get()
            ran.append(f"{name} {at_hand and at_hand.correlation_id}")

        return run

    def heartbeat_received(event: HeartbeatReceived, site: Site) -> None:
        site.schedule(0.02, job("second"))
        site.schedule(0, job("first"))
        site.schedule(0.01, job("never")).cancel()
        site.schedule(3600, job("much later"))

    async with at_work(tmp_path, plugin("p", trusted, heartbeat_received=heartbeat_received)) as work:
        work.publish(heartbeat(correlation_id="cause"))
        await until(lambda: len(ran) == 2)

    assert ran == ["first cause", "second cause"]
    assert work.seen.calls[("p", "job")] == 2


@both
async def test_jobs_run_side_by_side_and_one_that_fails_is_counted(tmp_path: Path, trusted: bool) -> None:
    ran: list[str] = []

    async def good() -> None:
        ran.append("good")

    def server_started(site: Site) -> None:
        site.schedule(0, waits_for_ever)
        site.schedule(0, raises)
        site.schedule(0, good)

    hears = plugin("p", trusted, server_started=server_started)
    async with at_work(tmp_path, hears, limits=SHORT) as work:
        await until(lambda: work.seen.failures[("p", "job")] == 2)

    assert ran == ["good"]


@both
async def test_too_many_jobs_are_refused(tmp_path: Path, trusted: bool) -> None:
    def server_started(site: Site) -> None:
        while True:
            site.schedule(3600, raises)

    hears = plugin("p", trusted, server_started=server_started)
    async with at_work(tmp_path, hears, limits=PluginLimits(jobs=5)) as work:
        await until(lambda: work.seen.errors)

    assert isinstance(work.seen.errors[0], TooManyJobs)


async def test_threads_of_a_plugin_may_schedule_and_cancel(tmp_path: Path) -> None:
    ran: list[int] = []

    async def good() -> None:
        ran.append(threading.get_ident())

    def from_another_thread(site: Site) -> None:
        site.schedule(0, good)
        site.schedule(0.01, raises).cancel()

    def server_started(site: Site) -> None:
        threading.Thread(target=from_another_thread, args=(site,)).start()

    async with at_work(tmp_path, plugin("p", False, server_started=server_started)) as work:
        await until(lambda: ran)

    assert ran[0] != threading.get_ident()
    assert work.seen.errors == []


async def test_auto_start_asks_whether_it_is_switched_on_in_the_context_of_its_event(tmp_path: Path) -> None:
    answers: dict[str, bool | None] = {}
    causes: list[TraceContext | None] = []

    def heartbeat_received(event: HeartbeatReceived, site: LocalSite) -> None:
        def answer(auto_start: bool | None) -> None:
            answers[event.charge_point_id] = auto_start
            causes.append(current_trace_context.get())

        site.ask_auto_start(event.charge_point_id, answer)

    switches = {"ON": Wanted(auto_start=True), "OFF": Wanted(auto_start=False), "NEITHER": Wanted()}
    async with at_work(tmp_path, plugin("p", True, heartbeat_received=heartbeat_received)) as work:
        for identity, wanted in switches.items():
            await work.services.writer.submit(put_charge_point, identity, wanted, datetime.now(UTC))
        for identity in (*switches, "UNKNOWN"):
            work.publish(heartbeat(identity, "cause"))
        await until(lambda: len(answers) == 4)
        with closing(sqlite3.connect(tmp_path / "mcpp.db")) as connection:
            connection.execute("ALTER TABLE charge_points RENAME TO elsewhere")
        work.publish(heartbeat("UNREADABLE", "cause"))
        await until(lambda: len(answers) == 5)

    assert answers == {"ON": True, "OFF": False, "NEITHER": None, "UNKNOWN": None, "UNREADABLE": True}
    assert causes == [TraceContext("cause")] * 5
