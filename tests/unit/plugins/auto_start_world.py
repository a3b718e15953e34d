"""A charge point with two connectors, its books, and the auto-start plugin that hears of it; driven by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from mcpp.csms.operations import Operations
from mcpp.domain.events import TransactionRecovered
from mcpp.ocppj.errors import CommandError
from mcpp.plugins import ChargePointState, ConnectorState
from mcpp.plugins.builtin.auto_start import AutoStart, AutoStartSettings
from mcpp_generated.db.enums import ReservationState
from tests import events
from tests.unit.plugins.site_by_hand import START, Entry, Job, SiteByHand

TAG = "AutoTag"
SETTINGS = AutoStartSettings(tries=3, retry_delay=5, start_timeout=30, settle_time=3)
HOUR = 3600.0

Ask = Callable[[], Awaitable[bool]]


class OneCharger(SiteByHand):
    """A site with CP-1, whose answers to RemoteStartTransaction a test lays down."""

    def __init__(self, state: ChargePointState) -> None:
        super().__init__(state)
        self.looks = 0
        """How often all that the books know of the charge point was read."""
        self.unreadable = False
        """Whether the books can't say whether it starts by itself."""
        self.answers: list[bool | CommandError | Ask] = []
        """Accepted without consequence, where none is laid down."""
        self.asked: list[tuple[float, int]] = []
        self.evses_asked: list[int] = []
        """Seconds since the beginning, and the connector."""
        self.under_way = 0
        self.waits = asyncio.Event()
        """A command or a look at the books is under way and doesn't end by itself."""
        self.books_open = asyncio.Event()
        self.books_open.set()
        self._tasks: list[asyncio.Future[None]] = []
        self._questions: list[tuple[str, Callable[[bool | None], None]]] = []

    @property
    def pending(self) -> int:
        """Jobs that wait for their time."""
        return sum(not entry.cancelled for entry in self._entries)

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        self.looks += 1
        state = await super().charge_point(charge_point_id)
        if not self.books_open.is_set():
            self.waits.set()
            await self.books_open.wait()
            self.waits.clear()
        return state

    def ask_auto_start(self, charge_point_id: str, answer: Callable[[bool | None], None]) -> None:
        self._questions.append((charge_point_id, answer))

    async def let_pass(self, seconds: float) -> None:
        while self._questions and self.books_open.is_set():
            charge_point_id, answer = self._questions.pop(0)
            state = self.states.get(charge_point_id)
            auto_start = state.auto_start if state else None
            answer(True if self.unreadable else auto_start)
        await super().let_pass(seconds)

    @property
    def verbs(self) -> Operations:
        return self  # type: ignore[return-value]  # the one verb that auto-start may use

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = 0) -> bool:
        assert (charge_point_id, id_tag) == ("CP-1", TAG)
        assert self.under_way == 0, "two commands at once"
        self.asked.append(((self.now() - START).total_seconds(), connector_id))
        self.evses_asked.append(evse_id)
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

    def book(self, number: int, evse: int = 0, /, **changes: object) -> ConnectorState:
        """Change the books on a connector; gives how it was."""
        known = {(known.evse_id, known.connector_id): known for known in self.state.connectors}
        before = known[evse, number]
        known[evse, number] = replace(before, **changes)  # type: ignore[arg-type]  # the tests name what there is
        self.site.states["CP-1"] = replace(self.state, connectors=tuple(known.values()))
        return before

    async def report(self, status: str, number: int = 1, info: str | None = None, evse: int = 0) -> None:
        """A StatusNotification; what it says twice makes no event, unless something else is new."""
        before = self.book(number, evse, status=status, status_at=self.site.now())
        if before.status == status and info is None:
            return
        now = self.site.now()
        event = replace(
            events.PREPARING,
            at=now,
            connector_id=number,
            evse_id=evse,
            status=status,
            previous_status=before.status,
            info=info,
            reported_at=now,
        )
        pending = self.plugin.connector_status_changed(event, self.site)
        if pending is not None:
            await pending
        await self.site.let_pass(0)

    async def connect(self) -> None:
        self.site.states["CP-1"] = replace(self.state, connected=True)
        self.plugin.charge_point_connected(replace(events.CONNECTED, at=self.site.now()), self.site)

    def disconnect(self) -> None:
        self.site.states["CP-1"] = replace(self.state, connected=False)

    async def boot(self) -> None:
        self.site.states["CP-1"] = replace(self.state, accepted=True)
        pending = self.plugin.charge_point_booted(replace(events.BOOTED, at=self.site.now()), self.site)
        if pending is not None:
            await pending

    async def restart_server(self) -> None:
        self.site.restart()
        self.disconnect()
        self.plugin = self.new_plugin()
        await self.plugin.server_started(self.site)

    async def start(self, number: int = 1, *, ago: float = 0) -> None:
        """A StartTransaction."""
        self.book(number, transaction_id=77)
        now = self.site.now()
        started_at = now - timedelta(seconds=ago)
        event = replace(
            events.STARTED, at=now, transaction_id=77, connector_id=number, id_tag=TAG, started_at=started_at
        )
        self.plugin.transaction_started(event)

    async def stop(self, number: int = 1, *, recovered: bool = False) -> None:
        self.book(number, transaction_id=None)
        event = replace(
            events.RECOVERED if recovered else events.STOPPED,
            at=self.site.now(),
            transaction_id=77,
            connector_id=number,
            id_tag=TAG,
            started_at=START,
            stopped_at=self.site.now(),
        )
        if isinstance(event, TransactionRecovered):
            self.plugin.transaction_recovered(event, self.site)
        else:
            self.plugin.transaction_stopped(event, self.site)
        await self.site.let_pass(0)

    async def change_reservation(self, number: int, reserved_for: str | None) -> None:
        self.book(number, reserved_for=reserved_for)
        status = ReservationState.ACCEPTED if reserved_for else ReservationState.EXPIRED
        event = replace(events.RESERVED, at=self.site.now(), connector_id=number, status=status)
        self.plugin.reservation_changed(event, self.site)
        await self.site.let_pass(0)

    async def accept_and_start(self) -> bool:
        await self.start()
        return True

    async def charge(self, number: int = 1) -> None:
        """From the start that was asked for to the charging car."""
        await self.start(number)
        await self.report("Charging", number)
