"""Auto-start, driven by hand: what a charge point is asked, and when, by all that can happen to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ConnectorStatusChanged,
    ReservationChanged,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.ocppj.errors import (
    CallRefused,
    CallTimeout,
    CommandError,
    ConnectionLost,
    InvalidAnswer,
    NotConnected,
    QueueFull,
)
from mcpp.ocppj.verbs import Verbs
from mcpp.plugins import ChargePointState, ConnectorState
from mcpp.plugins.builtin.auto_start import AutoStart, AutoStartSettings
from mcpp_generated.db.enums import ReservationState, StopOrigin
from tests.unit.plugins.site_by_hand import START, Entry, Job, SiteByHand

TAG = "AutoTag"
SETTINGS = AutoStartSettings(tries=3, retry_delay=5, start_timeout=30, settle_time=3)
HOUR = 3600.0

Ask = Callable[[], Awaitable[bool]]


class OneCharger(SiteByHand):
    """A site with CP-1, whose answers to RemoteStartTransaction a test lays down."""

    def __init__(self, state: ChargePointState) -> None:
        super().__init__(state)
        self.answers: list[bool | CommandError | Ask] = []
        """Accepted without consequence, where none is laid down."""
        self.asked: list[tuple[float, int]] = []
        """Seconds since the beginning, and the connector."""
        self.under_way = 0
        self.waits = asyncio.Event()
        """A command or a look at the books is under way and doesn't end by itself."""
        self.books_open = asyncio.Event()
        self.books_open.set()
        self._tasks: list[asyncio.Future[None]] = []

    @property
    def pending(self) -> int:
        """Jobs that wait for their time."""
        return sum(not entry.cancelled for entry in self._entries)

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        state = await super().charge_point(charge_point_id)
        if not self.books_open.is_set():
            self.waits.set()
            await self.books_open.wait()
            self.waits.clear()
        return state

    @property
    def verbs(self) -> Verbs:
        return self  # type: ignore[return-value]  # the one verb that auto-start may use

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str) -> bool:
        assert (charge_point_id, id_tag) == ("CP-1", TAG)
        assert self.under_way == 0, "two commands at once"
        self.asked.append(((self.now() - START).total_seconds(), connector_id))
        answer = self.answers.pop(0) if self.answers else True
        self.under_way += 1
        try:
            if isinstance(answer, CommandError):
                raise answer
            return answer if isinstance(answer, bool) else await answer()
        finally:
            self.under_way -= 1

    async def finish(self) -> None:
        """Wait for the jobs that have begun."""
        async with asyncio.timeout(10):
            await asyncio.gather(*self._tasks)

    def schedule(self, seconds: float, job: Job) -> Entry:
        async def side_by_side() -> None:
            task = asyncio.ensure_future(job())
            self._tasks.append(task)
            waiting = asyncio.ensure_future(self.waits.wait())
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if task.done():
                task.result()

        return super().schedule(seconds, side_by_side)


def connector(number: int, status: str | None = None) -> ConnectorState:
    return ConnectorState(
        connector_id=number,
        status=status,
        error_code="NoError",
        status_at=START,
        transaction_id=None,
        inoperative=False,
        reserved_for=None,
        session_correlation_id=None,
    )


class World:
    """A charge point with two connectors, its books, and the plugin that hears of it."""

    def __init__(self, *, by_default: bool = True, auto_start: bool | None = None) -> None:
        state = ChargePointState(
            charge_point_id="CP-1",
            connected=True,
            accepted=True,
            vendor=None,
            model=None,
            firmware_version=None,
            auto_start=auto_start,
            connectors=(connector(0, "Available"), connector(1, "Available"), connector(2, "Available")),
        )
        self.by_default = by_default
        self.site = OneCharger(state)
        self.plugin = self.new_plugin()

    def new_plugin(self) -> AutoStart:
        return AutoStart(by_default=self.by_default, id_tag=TAG, settings=SETTINGS)

    @property
    def state(self) -> ChargePointState:
        return self.site.states["CP-1"]

    @property
    def seconds_asked(self) -> list[float]:
        return [second for second, _ in self.site.asked]

    @property
    def given_up(self) -> list[str]:
        return [line["reason"] for line in self.site.named("auto_start_given_up")]

    def book(self, number: int, **changes: object) -> ConnectorState:
        """Change the books on a connector; gives how it was."""
        known = {known.connector_id: known for known in self.state.connectors}
        before = known[number]
        known[number] = replace(before, **changes)  # type: ignore[arg-type]  # the tests name what there is
        self.site.states["CP-1"] = replace(self.state, connectors=tuple(known.values()))
        return before

    async def report(self, status: str, number: int = 1, info: str | None = None) -> None:
        """A StatusNotification; what it says twice makes no event, unless something else is new."""
        before = self.book(number, status=status, status_at=self.site.now())
        if before.status == status and info is None:
            return
        event = ConnectorStatusChanged(
            charge_point_id="CP-1",
            correlation_id="c" * 32,
            at=self.site.now(),
            connector_id=number,
            status=status,
            previous_status=before.status,
            error_code="NoError",
            info=info,
            reported_at=self.site.now(),
            session_correlation_id="5" * 32,
        )
        await self.plugin.connector_status_changed(event, self.site)
        await self.site.let_pass(0)

    async def connect(self) -> None:
        self.site.states["CP-1"] = replace(self.state, connected=True)
        event = ChargePointConnected(
            charge_point_id="CP-1",
            correlation_id="c" * 32,
            at=self.site.now(),
            ocpp_version="1.6",
            remote_address="192.0.2.1",
        )
        self.plugin.charge_point_connected(event, self.site)

    def disconnect(self) -> None:
        self.site.states["CP-1"] = replace(self.state, connected=False)

    async def boot(self) -> None:
        self.site.states["CP-1"] = replace(self.state, accepted=True)
        event = ChargePointBooted(
            charge_point_id="CP-1",
            correlation_id="c" * 32,
            at=self.site.now(),
            vendor="Acme",
            model="Wall",
            serial_number=None,
            firmware_version=None,
        )
        await self.plugin.charge_point_booted(event, self.site)

    async def restart_server(self) -> None:
        self.site.restart()
        self.disconnect()
        self.plugin = self.new_plugin()
        await self.plugin.server_started(self.site)

    async def start(self, number: int = 1, *, ago: float = 0) -> None:
        """A StartTransaction."""
        self.book(number, transaction_id=77)
        event = TransactionStarted(
            charge_point_id="CP-1",
            correlation_id="c" * 32,
            at=self.site.now(),
            transaction_id=77,
            connector_id=number,
            id_tag=TAG,
            meter_start=0,
            started_at=self.site.now() - timedelta(seconds=ago),
            session_correlation_id="5" * 32,
        )
        self.plugin.transaction_started(event)

    async def stop(self, number: int = 1, *, recovered: bool = False) -> None:
        self.book(number, transaction_id=None)
        kind = TransactionRecovered if recovered else TransactionStopped
        event = kind(
            charge_point_id="CP-1",
            correlation_id="c" * 32,
            at=self.site.now(),
            transaction_id=77,
            connector_id=number,
            id_tag=TAG,
            meter_start=0,
            meter_stop=1000,
            energy_wh=1000,
            energy_implausible=False,
            started_at=START,
            stopped_at=self.site.now(),
            reason="Local",
            origin=StopOrigin.RECOVERED if recovered else StopOrigin.CHARGER,
            session_correlation_id="5" * 32,
        )
        if isinstance(event, TransactionRecovered):
            self.plugin.transaction_recovered(event, self.site)
        else:
            self.plugin.transaction_stopped(event, self.site)
        await self.site.let_pass(0)

    async def change_reservation(self, number: int, reserved_for: str | None) -> None:
        self.book(number, reserved_for=reserved_for)
        event = ReservationChanged(
            charge_point_id="CP-1",
            correlation_id="c" * 32,
            at=self.site.now(),
            reservation_id=1,
            connector_id=number,
            id_tag="SOMEBODY",
            parent_id_tag=None,
            expiry_date=START + timedelta(hours=1),
            status=ReservationState.ACCEPTED if reserved_for else ReservationState.EXPIRED,
            transaction_id=None,
        )
        self.plugin.reservation_changed(event, self.site)
        await self.site.let_pass(0)

    async def accept_and_start(self) -> bool:
        await self.start()
        return True

    async def charge(self, number: int = 1) -> None:
        """From the start that was asked for to the charging car."""
        await self.start(number)
        await self.report("Charging", number)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_car_that_is_plugged_in_charges(world: World) -> None:
    await world.report("Preparing")
    await world.charge()
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1)]
    [line] = world.site.lines
    assert dict(line) == dict(line) | {
        "event": "auto_start_tried",
        "log_level": "info",
        "category": "transaction",
        "charge_point_id": "CP-1",
        "connector_id": 1,
        "session_correlation_id": "5" * 32,
        "tries": 1,
        "outcome": "accepted",
    }


async def test_a_repeated_status_asks_for_nothing(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    for number in range(10):
        await world.report("Preparing", info=f"repeat {number}")
        await world.site.let_pass(60)

    assert world.site.asked == [(0, 1)]


async def test_a_charger_that_never_says_charging_is_not_asked_again_after_the_stop(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing")
    await world.site.let_pass(60)
    await world.stop()
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1)]


async def test_one_that_rejects_twice_is_asked_three_times_with_growing_delays(world: World) -> None:
    world.site.answers = [False, False, world.accept_and_start]
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == []


async def test_one_that_rejects_always_is_given_up_until_the_next_car(world: World) -> None:
    world.site.answers = [False] * 3
    await world.report("Preparing")
    await world.site.let_pass(15)
    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == ["rejected"]
    assert world.site.lines[-1]["log_level"] == "warning"

    await world.report("Preparing", info="again")
    await world.connect()
    await world.site.let_pass(HOUR)
    assert len(world.site.asked) == 3

    await world.report("Available")
    await world.report("Preparing")
    assert len(world.site.asked) == 4


async def test_one_that_accepts_and_starts_nothing_is_asked_again_and_given_up(world: World) -> None:
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 30, 60]
    assert world.given_up == ["accepted, but no transaction began"]


@pytest.mark.parametrize(
    "error",
    [
        CallRefused("InternalError", "no", {}),
        CallTimeout("no answer within 30 s"),
        ConnectionLost("the connection ended"),
        InvalidAnswer("no status"),
        QueueFull("32 commands wait"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_is_a_try_that_failed(world: World, error: CommandError) -> None:
    world.site.answers = [error] * 3
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == [f"{type(error).__name__}: {error}"]


async def test_what_was_not_sent_is_no_try(world: World) -> None:
    world.site.answers = [NotConnected("CP-1 is not connected")] * 5
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert len(world.site.asked) == 5 + 3
    assert len(world.given_up) == 1


@pytest.mark.parametrize("by_default", [False, True])
@pytest.mark.parametrize("auto_start", [None, False, True])
async def test_the_charge_points_own_setting_goes_before_the_one_for_all(
    by_default: bool, auto_start: bool | None
) -> None:
    world = World(by_default=by_default, auto_start=auto_start)
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert bool(world.site.asked) is (by_default if auto_start is None else auto_start)
    assert world.site.named("auto_start_held") == []


async def test_each_connector_has_its_own_start(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing", 1)
    await world.report("Preparing", 2)
    await world.charge(2)
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1), (0, 2)]


async def test_the_charge_point_as_a_whole_is_no_connector(world: World) -> None:
    await world.report("Preparing", 0)
    await world.connect()
    await world.site.let_pass(HOUR)

    assert world.site.asked == []


# What stands against a start.


async def test_a_running_transaction(world: World) -> None:
    await world.start(ago=600)
    await world.report("Preparing")
    await world.report("Preparing", info="again")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []
    assert [line["reason"] for line in world.site.lines] == ["transaction 77 runs"]

    await world.stop(recovered=True)
    assert len(world.site.asked) == 1


async def test_a_transaction_from_the_offline_queue_does_not_serve_the_car_that_came_after(world: World) -> None:
    world.site.answers = [False]
    await world.report("Preparing")
    await world.start(ago=600)
    await world.site.let_pass(5)
    assert len(world.site.asked) == 1

    await world.stop()
    assert len(world.site.asked) == 2


@pytest.mark.parametrize(
    ("others", "reserved", "reserved_for", "asked"),
    [
        ("Available", 1, "SOMEBODY", 0),
        ("Available", 1, TAG.upper(), 1),
        ("Available", 2, "SOMEBODY", 1),
        ("Available", 0, "SOMEBODY", 1),
        ("Charging", 0, "SOMEBODY", 0),
        ("Charging", 0, TAG.upper(), 1),
    ],
)
async def test_a_reservation(world: World, others: str, reserved: int, reserved_for: str, asked: int) -> None:
    world.book(2, status=others)
    await world.change_reservation(reserved, reserved_for)
    await world.report("Preparing")
    await world.site.let_pass(1)
    assert len(world.site.asked) == asked
    assert len(world.site.named("auto_start_held")) == 1 - asked

    await world.change_reservation(reserved, None)
    assert len(world.site.asked) == 1


@pytest.mark.parametrize("others", [{"inoperative": True}, {"reserved_for": "SOMEBODY"}, {"status": "Faulted"}])
async def test_a_reservation_of_any_connector_needs_one_that_is_free(world: World, others: dict[str, object]) -> None:
    world.book(2, **others)
    await world.change_reservation(0, "SOMEBODY")
    await world.report("Preparing")

    assert world.site.asked == []


@pytest.mark.parametrize("ordered", [0, 1])
async def test_an_inoperative_connector(world: World, ordered: int) -> None:
    world.book(ordered, inoperative=True)
    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []
    assert len(world.site.named("auto_start_held")) == 1

    world.book(ordered, inoperative=False)
    await world.report("Unavailable")
    await world.report("Preparing")
    assert len(world.site.asked) == 1


@pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
async def test_a_fault_of_the_whole_charge_point(world: World, status: str) -> None:
    await world.report(status, 0)
    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []

    await world.report("Available", 0)
    assert len(world.site.asked) == 1


async def test_a_fault_interrupts_the_tries_and_does_not_renew_them(world: World) -> None:
    world.site.answers = [False] * 3
    await world.report("Preparing")
    await world.report("Faulted")
    await world.site.let_pass(100)
    assert world.seconds_asked == [0]

    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.seconds_asked == [0, 100, 110]
    assert len(world.given_up) == 1


# Cars that leave.


async def test_a_car_that_leaves_takes_the_next_try_with_it(world: World) -> None:
    world.site.answers = [False]
    await world.report("Preparing")
    assert world.site.pending == 1
    await world.report("Available")
    assert world.site.pending == 0
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1)]
    assert world.given_up == []


async def test_a_car_that_leaves_while_the_books_are_read_is_not_started(world: World) -> None:
    world.site.books_open.clear()
    await world.report("Preparing")
    await world.report("Available")
    world.site.books_open.set()
    await world.site.finish()
    await world.site.let_pass(HOUR)

    assert world.site.asked == []


async def test_two_looks_at_the_books_make_one_try(world: World) -> None:
    world.site.books_open.clear()
    await world.report("Preparing")
    await world.report("Preparing", info="again")
    world.site.books_open.set()
    await world.site.finish()
    await world.site.let_pass(1)

    assert world.site.asked == [(0, 1)]


async def test_news_while_the_books_are_read_is_not_missed(world: World) -> None:
    await world.start(ago=600)
    world.site.books_open.clear()
    await world.report("Preparing")
    world.site.books_open.set()
    await world.stop()
    await world.site.finish()
    await world.site.let_pass(1)

    assert world.site.asked == [(0, 1)]


async def test_a_missed_status_does_not_leave_the_next_car_without_a_start(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing")
    await world.stop()
    world.book(1, status="Available")
    await world.report("Preparing")

    assert len(world.site.asked) == 2


async def test_one_that_rejects_because_the_driver_was_faster_is_not_given_up(world: World) -> None:
    async def reject_but_start() -> bool:
        await world.start()
        return False

    world.site.answers = [False, False, reject_but_start]
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == []


async def test_a_start_takes_back_the_next_try(world: World) -> None:
    await world.report("Preparing")
    assert world.site.pending == 1
    await world.start()
    assert world.site.pending == 0


async def test_a_loose_plug_never_makes_two_commands_at_once(world: World) -> None:
    answered = asyncio.Event()

    async def slow() -> bool:
        world.site.waits.set()
        await answered.wait()
        world.site.waits.clear()
        return False

    world.site.answers = [slow, world.accept_and_start]
    for _ in range(20):
        await world.report("Preparing")
        await world.report("Available")
    await world.report("Preparing")
    assert len(world.site.asked) == 1

    answered.set()
    await world.site.finish()
    await world.site.let_pass(HOUR)
    assert world.site.asked == [(0, 1), (0, 1)]
    assert [line["outcome"] for line in world.site.named("auto_start_tried")] == ["rejected", "accepted"]


async def test_a_command_that_is_cut_short_is_a_try_that_failed(world: World) -> None:
    async def cut_short() -> bool:
        raise asyncio.CancelledError

    world.site.answers = [cut_short, world.accept_and_start]
    with pytest.raises(asyncio.CancelledError):
        await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5]


# Sessions that end while the cable is in.


@pytest.mark.parametrize("way_back", ["Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"])
async def test_a_session_that_was_stopped_stays_stopped_until_the_car_is_plugged_in_anew(
    world: World, way_back: str
) -> None:
    await world.connect()
    await world.boot()
    await world.report("Preparing")
    await world.charge()
    await world.stop()
    await world.report(way_back)
    await world.report("Preparing")
    await world.connect()
    await world.site.let_pass(HOUR)
    assert len(world.site.asked) == 1

    await world.restart_server()
    await world.connect()
    await world.site.let_pass(HOUR)
    assert len(world.site.asked) == 1

    await world.report("Available")
    assert world.site.memory == {}
    await world.report("Preparing")
    assert len(world.site.asked) == 2


@pytest.mark.parametrize("reconnects", [False, True])
async def test_what_a_power_cut_ended_goes_on(world: World, reconnects: bool) -> None:
    """The books say Charging, from before; the open transaction is closed when its charger says so, or recovered."""
    await world.report("Preparing")
    await world.charge()
    await world.site.let_pass(600)
    if reconnects:
        world.disconnect()
        await world.connect()
    await world.boot()
    await world.report("Preparing")
    await world.site.let_pass(60)
    assert len(world.site.asked) == 1

    await world.stop(recovered=True)
    assert len(world.site.asked) == 2


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_boot_makes_a_stopped_session_start_again(world: World, restarts: bool) -> None:
    await world.report("Preparing")
    await world.charge()
    await world.stop()
    await world.report("Finishing")
    await world.report("Preparing")
    assert world.site.memory == {"CP-1": [1]}
    if restarts:
        await world.restart_server()
        await world.connect()
    await world.boot()
    assert world.site.memory == {}
    await world.site.let_pass(3)

    assert len(world.site.asked) == 2


async def test_a_car_that_came_while_the_charge_point_was_away_is_served(world: World) -> None:
    await world.report("Preparing")
    await world.charge()
    world.disconnect()
    await world.site.let_pass(HOUR)
    await world.stop()
    await world.connect()
    await world.report("Preparing")

    assert len(world.site.asked) == 2


async def test_a_lost_connection_in_a_session_makes_its_end_no_new_plug_in(world: World) -> None:
    """A charger that goes from Charging straight back to Preparing, its status unchanged since it reconnected."""
    await world.report("Preparing")
    await world.charge()
    await world.connect()
    await world.site.let_pass(HOUR)
    await world.stop()
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert len(world.site.asked) == 1


# Chargers that come and boot.


async def test_nothing_is_asked_before_the_first_accepted_boot(world: World) -> None:
    world.site.states["CP-1"] = replace(world.state, accepted=False)
    await world.connect()
    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []

    await world.boot()
    await world.site.let_pass(3)
    assert len(world.site.asked) == 1


@pytest.mark.parametrize("connects_first", [False, True])
async def test_one_that_was_preparing_before_the_server_started(world: World, connects_first: bool) -> None:
    world.book(1, status="Preparing", session_correlation_id="6" * 32)
    if connects_first:
        await world.plugin.server_started(world.site)
    else:
        world.disconnect()
        await world.plugin.server_started(world.site)
        await world.site.let_pass(10)
        assert world.site.asked == []
        await world.connect()
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked[0] == (3 if connects_first else 13)
    assert world.site.lines[0]["session_correlation_id"] == "6" * 32
    assert len(world.given_up) == 1


async def test_one_that_has_news_after_all_is_not_asked(world: World) -> None:
    world.book(1, status="Preparing")
    await world.connect()
    await world.boot()
    await world.site.let_pass(2)
    await world.report("Available")
    await world.site.let_pass(HOUR)

    assert world.site.asked == []


async def test_tries_wait_for_the_connection(world: World) -> None:
    world.site.answers = [ConnectionLost("the connection ended"), world.accept_and_start]
    await world.report("Preparing")
    world.disconnect()
    await world.site.let_pass(HOUR)
    assert world.seconds_asked == [0]

    await world.connect()
    await world.site.let_pass(HOUR)
    assert world.seconds_asked == [0, HOUR + 3]


async def test_one_that_boots_whenever_it_is_asked_is_given_up(world: World) -> None:
    world.site.answers = [ConnectionLost("the connection ended")] * 100
    await world.report("Preparing")
    for _ in range(10):
        await world.connect()
        await world.boot()
        await world.site.let_pass(600)

    assert len(world.site.asked) == 3
    assert len(world.given_up) == 1


async def test_one_that_reconnects_all_the_time_is_looked_at_once(world: World) -> None:
    world.book(1, status="Preparing")
    for _ in range(100):
        await world.connect()
        await world.site.let_pass(1)
    assert world.site.asked == []

    await world.site.let_pass(3)
    assert len(world.site.asked) == 1


async def test_a_charge_point_that_was_deleted_is_forgotten(world: World) -> None:
    world.site.memory = {"CP-1": [1], "GONE": [1]}
    await world.plugin.server_started(world.site)
    assert world.site.memory == {"CP-1": [1]}

    await world.connect()
    del world.site.states["CP-1"]
    await world.site.let_pass(HOUR)
    assert world.site.asked == []


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_AUTO_START_TRIES", "5")
    monkeypatch.setenv("MCPP_PLUGIN_AUTO_START_START_TIMEOUT", "0.5")
    settings = AutoStartSettings()
    assert (settings.tries, settings.retry_delay, settings.start_timeout, settings.settle_time) == (5, 5, 0.5, 3)

    monkeypatch.setenv("MCPP_PLUGIN_AUTO_START_TRIES", "0")
    with pytest.raises(ValidationError, match="tries"):
        AutoStart(by_default=True, id_tag=TAG)
