"""How plugins are told, asked and limited; each test with a built-in's place on the loop or a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcpp.domain.authorization import Authorization, AuthorizationStatus
from mcpp.domain.charge_points import Wanted, put_charge_point
from mcpp.domain.events import Event, HeartbeatReceived
from mcpp.domain.questions import AuthorizationQuestion, DataTransferAnswer, DataTransferQuestion, DataTransferStatus
from mcpp.event_json import EVENT_KINDS, event_name
from mcpp.ocppj.errors import NotConnected
from mcpp.ocppj.flow import current_cause
from mcpp.plugins import Site
from mcpp.plugins.distant_site import TooManyEvents
from mcpp.plugins.thread import Interrupted
from mcpp.plugins.worker import HookTimeout, PluginLimits, TooManyJobs
from tests.integration.plugins.at_work import PATIENCE, at_work, heartbeat, plugin, until

both = pytest.mark.parametrize("trusted", [True, False], ids=["built_in", "in_a_thread"])

SHORT = PluginLimits(hook_timeout=0.05, job_timeout=0.05, question_timeout=0.05, drain_timeout=0.05, stop_timeout=0.05)

ACCEPTED = Authorization(AuthorizationStatus.ACCEPTED)
BLOCKED = Authorization(AuthorizationStatus.BLOCKED)


def question(id_tag: str = "T") -> AuthorizationQuestion:
    return AuthorizationQuestion(
        charge_point_id="CP-1", correlation_id="c" * 32, connector_id=None, id_tag=id_tag, by_the_books=ACCEPTED
    )


def of_kind(kind: type[Event]) -> Event:
    """An event of any kind; what else it has doesn't matter here."""
    event = kind.__new__(kind)
    for name, value in {"charge_point_id": "CP-1", "correlation_id": "c" * 32, "at": datetime.now(UTC)}.items():
        object.__setattr__(event, name, value)
    return event


@both
@pytest.mark.parametrize("kind", EVENT_KINDS, ids=event_name)
async def test_every_event_reaches_its_hook_and_the_one_for_all(
    tmp_path: Path, trusted: bool, kind: type[Event]
) -> None:
    heard: list[tuple[str, Event]] = []

    def own(event: Event) -> None:
        heard.append(("own", event))

    async def for_all(event: Event, site: Site) -> None:
        heard.append(("all", event))

    hooks: dict[str, Any] = {event_name(kind): own, "event_published": for_all}
    async with at_work(tmp_path, plugin("p", trusted, **hooks)) as work:
        event = of_kind(kind)
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


async def _raises() -> None:
    raise RuntimeError("the plugin's fault")


async def _cancels() -> None:
    task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()
    await task


async def _exits() -> None:
    raise SystemExit(3)


async def _waits_for_ever() -> None:
    await asyncio.Event().wait()


async def _does_not_let_itself_be_cancelled() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
            if asyncio.get_running_loop().time() > _deadline[0]:
                return


_deadline = [0.0]


@both
@pytest.mark.parametrize("fault", [_raises, _cancels, _exits, _waits_for_ever, _does_not_let_itself_be_cancelled])
async def test_a_hook_that_fails_is_counted_and_the_next_event_is_told(
    tmp_path: Path, trusted: bool, fault: Any
) -> None:
    told: list[str] = []
    _deadline[0] = asyncio.get_running_loop().time() + 0.2

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

        await asyncio.wait_for(more_until(lambda: work.seen.failures and work.seen.dropped), PATIENCE)
        go_on.set()

    assert work.seen.failures.keys() == {("bad", "heartbeat_received")}
    assert isinstance(work.seen.errors[0], HookTimeout)
    assert work.seen.dropped.keys() == {("bad", "heartbeat_received")}


async def test_a_function_that_computes_for_ever_is_interrupted_and_the_plugin_goes_on(tmp_path: Path) -> None:
    told: list[str] = []

    def heartbeat_received(event: HeartbeatReceived) -> None:
        while event.correlation_id == "bad":
            with suppress(Exception):
                told.count("bad")
        told.append(event.correlation_id)

    limits = PluginLimits(hook_timeout=0.05)
    async with at_work(tmp_path, plugin("p", False, heartbeat_received=heartbeat_received), limits=limits) as work:
        work.publish(heartbeat(correlation_id="bad"), heartbeat("CP-2", "good"), heartbeat(correlation_id="good"))
        await until(lambda: len(told) == 2)

    assert told == ["good", "good"]
    assert {type(error) for error in work.seen.errors} == {HookTimeout, Interrupted}


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


class TestQuestions:
    @both
    async def test_the_first_answer_wins_in_the_order_of_the_plugins(self, tmp_path: Path, trusted: bool) -> None:
        asked: list[str] = []

        def authorize(name: str, answer: Authorization | None) -> Any:
            async def answer_later(question: AuthorizationQuestion, site: Site) -> Authorization | None:
                asked.append(f"{name} {question.id_tag}")
                return answer

            return answer_later

        async with at_work(
            tmp_path,
            plugin("silent", trusted, authorize=authorize("silent", None)),
            plugin("deaf", trusted, server_started=lambda: None),
            plugin("strict", trusted, authorize=authorize("strict", BLOCKED)),
            plugin("lax", trusted, authorize=authorize("lax", ACCEPTED)),
        ) as work:
            assert work.plugins.asks("authorize")
            assert await work.plugins.authorize(question()) == BLOCKED

        assert asked == ["silent T", "strict T"]

    @both
    async def test_a_vendor_s_message_is_answered_by_a_plain_function(self, tmp_path: Path, trusted: bool) -> None:
        def data_transfer_received(question: DataTransferQuestion) -> DataTransferAnswer:
            return DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data=question.data)

        asked = DataTransferQuestion(
            charge_point_id="CP-1", correlation_id="c" * 32, vendor_id="V", message_id=None, data="7"
        )
        hears = plugin("p", trusted, data_transfer_received=data_transfer_received)
        async with at_work(tmp_path, hears) as work:
            answer = await work.plugins.answer_data_transfer(asked)

        assert answer == DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data="7")

    @both
    @pytest.mark.parametrize("fault", [_raises, _cancels, _waits_for_ever])
    async def test_without_an_answer_the_books_decide(self, tmp_path: Path, trusted: bool, fault: Any) -> None:
        async with at_work(tmp_path, plugin("p", trusted, authorize=fault), limits=SHORT) as work:
            assert await work.plugins.authorize(question()) is None

        assert work.seen.failures == {("p", "authorize"): 1}

    @both
    async def test_an_answer_of_another_type_is_none(self, tmp_path: Path, trusted: bool) -> None:
        async with at_work(tmp_path, plugin("p", trusted, authorize=lambda: True)) as work:
            assert await work.plugins.authorize(question()) is None

        assert isinstance(work.seen.errors[0], TypeError)

    @both
    async def test_who_never_answers_is_not_asked_for_a_while(self, tmp_path: Path, trusted: bool) -> None:
        async with at_work(tmp_path, plugin("p", trusted, authorize=_waits_for_ever), limits=SHORT) as work:
            for _ in range(10):
                assert await work.plugins.authorize(question()) is None

        assert work.seen.calls == {("p", "authorize"): 3}

    async def test_a_plugin_whose_thread_is_blocked_does_not_block_the_answer(self, tmp_path: Path) -> None:
        go_on = threading.Event()

        def blocks(question: AuthorizationQuestion) -> Authorization:
            go_on.wait(30)
            return BLOCKED

        async with at_work(tmp_path, plugin("p", False, authorize=blocks), limits=SHORT) as work:
            for _ in range(10):
                assert await work.plugins.authorize(question()) is None
            go_on.set()

        assert work.seen.failures.keys() == {("p", "authorize")}


class TestSite:
    @both
    async def test_it_reads_the_books(self, tmp_path: Path, trusted: bool) -> None:
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
    async def test_what_it_is_told_to_remember_survives(self, tmp_path: Path, trusted: bool) -> None:
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
    async def test_a_command_to_nobody_raises(self, tmp_path: Path, trusted: bool) -> None:
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
    async def test_what_a_plugin_publishes_reaches_all(self, tmp_path: Path, trusted: bool) -> None:
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

    async def test_a_flood_of_events_is_refused(self, tmp_path: Path) -> None:
        async def server_started(site: Site) -> None:
            while True:
                site.publish(heartbeat())

        async with at_work(tmp_path, plugin("p", False, server_started=server_started)) as work:
            await until(lambda: work.seen.errors)

        assert isinstance(work.seen.errors[0], TooManyEvents)
        assert len(work.published) < 1000

    async def test_a_flood_of_requests_is_slowed_down(self, tmp_path: Path) -> None:
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
    async def test_jobs_run_in_their_time_unless_they_are_cancelled(self, tmp_path: Path, trusted: bool) -> None:
        ran: list[str] = []
        cause = current_cause

        def job(name: str) -> Any:
            async def run() -> None:
                ran.append(f"{name} {cause.get()}")

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
    async def test_jobs_run_side_by_side_and_one_that_fails_is_counted(self, tmp_path: Path, trusted: bool) -> None:
        ran: list[str] = []

        async def good() -> None:
            ran.append("good")

        def server_started(site: Site) -> None:
            site.schedule(0, _waits_for_ever)
            site.schedule(0, _raises)
            site.schedule(0, good)

        hears = plugin("p", trusted, server_started=server_started)
        async with at_work(tmp_path, hears, limits=SHORT) as work:
            await until(lambda: work.seen.failures[("p", "job")] == 2)

        assert ran == ["good"]

    @both
    async def test_too_many_jobs_are_refused(self, tmp_path: Path, trusted: bool) -> None:
        def server_started(site: Site) -> None:
            while True:
                site.schedule(3600, _raises)

        hears = plugin("p", trusted, server_started=server_started)
        async with at_work(tmp_path, hears, limits=PluginLimits(jobs=5)) as work:
            await until(lambda: work.seen.errors)

        assert isinstance(work.seen.errors[0], TooManyJobs)

    async def test_threads_of_a_plugin_may_schedule_and_cancel(self, tmp_path: Path) -> None:
        ran: list[int] = []

        async def good() -> None:
            ran.append(threading.get_ident())

        def from_another_thread(site: Site) -> None:
            site.schedule(0, good)
            site.schedule(0.01, _raises).cancel()

        def server_started(site: Site) -> None:
            threading.Thread(target=from_another_thread, args=(site,)).start()

        async with at_work(tmp_path, plugin("p", False, server_started=server_started)) as work:
            await until(lambda: ran)

        assert ran[0] != threading.get_ident()
        assert work.seen.errors == []
