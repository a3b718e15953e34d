"""The plugin `auto-start`: one chain of tries for each plug-in, each try after a fresh look at the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Protocol

from pydantic import JsonValue

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ConnectorStatusChanged,
    ReservationChanged,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.statuses import awaits_start
from mcpp.ocppj.errors import CommandError, NotConnected
from mcpp.plugins.builtin.auto_start.obstacles import find_connector, obstacle
from mcpp.plugins.builtin.auto_start.plug_ins import PlugIn, PlugIns
from mcpp.plugins.builtin.auto_start.settings import AutoStartSettings
from mcpp.plugins.hookspecs import hookimpl
from mcpp.plugins.site import ChargePointState, Site
from mcpp.reads.connector_names import Numbers


class AutoStartSite(Site, Protocol):
    """A built-in plugin's handle on the server, with what auto-start alone needs."""

    def ask_auto_start(self, charge_point_id: str, answer: Callable[[bool | None], None]) -> None:
        """Ask the database whether auto-start was switched on or off for this charge point, and call back soon.

        None where it was neither, or the charge point is unknown. True where the database can't say: to be looked into.
        """
        ...


class AutoStart:
    """Asks for a start where a car is plugged in (OCPP 1.6 §4.9 `Preparing`, §5.11)."""

    def __init__(self, *, by_default: bool, id_tag: str, settings: AutoStartSettings | None = None) -> None:
        """`by_default` holds for charge points of which nothing else was said."""
        self._by_default = by_default
        self._id_tag = id_tag
        self._settings = settings or AutoStartSettings()
        self._plug_ins: dict[str, PlugIns] = {}
        self._asking: set[tuple[str, Numbers]] = set()
        """Connectors with a command under way: never a second one beside it, however often the cable moves."""

    @hookimpl
    async def server_started(self, site: Site) -> None:
        """Recall what an earlier process knew, and look at those that connected before this plugin listened."""
        states = {state.charge_point_id: state for state in await site.charge_points()}
        for charge_point_id, stopped in (await site.recall()).items():
            if charge_point_id not in states:
                await site.remember(charge_point_id, None)
            else:
                self._of(charge_point_id).stopped.update(_recalled(stopped))
        for state in states.values():
            if state.connected:
                self._look_later(state.charge_point_id, site)

    @hookimpl
    def charge_point_connected(self, event: ChargePointConnected, site: Site) -> None:
        """What was reported before, to this process or an earlier one, still holds and isn't reported again."""
        self._of(event.charge_point_id).join(event.at)
        self._look_later(event.charge_point_id, site)

    @hookimpl
    def charge_point_booted(self, event: ChargePointBooted, site: Site) -> Awaitable[None] | None:
        """As charge_point_connected; and only now may anything be sent unasked."""
        plug_ins = self._of(event.charge_point_id)
        had_stopped = bool(plug_ins.stopped)
        plug_ins.boot(event.at)
        self._look_later(event.charge_point_id, site)
        return site.remember(event.charge_point_id, None) if had_stopped else None

    @hookimpl
    def connector_status_changed(self, event: ConnectorStatusChanged, site: AutoStartSite) -> Awaitable[None] | None:
        """A cable came, went or was served, or a fault is over."""
        plug_ins = self._of(event.charge_point_id)
        if event.connector_id == CHARGE_POINT:  # or an EVSE as a whole
            self._wake_all(plug_ins, site)
            return None
        stopped_before = set(plug_ins.stopped)
        plug_in = plug_ins.follow(event)
        if plug_in is not None:
            self._wake_where_wanted(plug_in, site)
        if plug_ins.stopped == stopped_before:
            return None
        return site.remember(event.charge_point_id, _to_remember(plug_ins.stopped))

    @hookimpl
    def transaction_started(self, event: TransactionStarted) -> None:
        """The plug-in has what it wants, whoever asked for it."""
        plug_in = self._of(event.charge_point_id).by_connector.get((event.evse_id, event.connector_id))
        if plug_in is not None:
            plug_in.serve(event.started_at)

    @hookimpl
    def transaction_stopped(self, event: TransactionStopped, site: AutoStartSite) -> None:
        """An earlier transaction may have stood against a start."""
        self._wake_all(self._of(event.charge_point_id), site)

    @hookimpl
    def transaction_recovered(self, event: TransactionRecovered, site: AutoStartSite) -> None:
        """As transaction_stopped."""
        self._wake_all(self._of(event.charge_point_id), site)

    @hookimpl
    def reservation_changed(self, event: ReservationChanged, site: AutoStartSite) -> None:
        """A reservation may have stood against a start."""
        self._wake_all(self._of(event.charge_point_id), site)

    def _of(self, charge_point_id: str) -> PlugIns:
        return self._plug_ins.setdefault(charge_point_id, PlugIns(charge_point_id))

    def _look_later(self, charge_point_id: str, site: Site) -> None:
        plug_ins = self._of(charge_point_id)
        if plug_ins.look is not None:
            plug_ins.look.cancel()
        plug_ins.look = site.schedule(self._settings.settle_time, partial(self._look, charge_point_id, site))

    async def _look(self, charge_point_id: str, site: Site) -> None:
        """Find plug-ins by the database: a status that was reported twice, or before a restart, makes no event."""
        state = await site.charge_point(charge_point_id)
        plug_ins = self._of(charge_point_id)
        for connector in state.connectors if state else ():
            if awaits_start(connector.status) and connector.connector_id != CHARGE_POINT:
                since = connector.status_at or site.now()
                numbers = connector.evse_id, connector.connector_id
                plug_in = plug_ins.find(numbers, since, connector.session_correlation_id)
                if self._is_wanted(state.auto_start if state else None):
                    self._wake(plug_in, site)

    def _wake_all(self, plug_ins: PlugIns, site: AutoStartSite) -> None:
        for plug_in in plug_ins.by_connector.values():
            self._wake_where_wanted(plug_in, site)

    def _is_wanted(self, auto_start: bool | None) -> bool:
        return self._by_default if auto_start is None else auto_start

    def _wake_where_wanted(self, plug_in: PlugIn, site: AutoStartSite) -> None:
        """Try now, if a start is wanted at all: most sites want none, and a try reads all there is to know.

        That is asked of the database each time, since an import may change it while the server runs.
        """
        if self._by_default:
            self._wake(plug_in, site)
        elif not plug_in.is_due and not self._is_idle(plug_in):
            site.ask_auto_start(plug_in.charge_point_id, partial(self._wake_if_wanted, plug_in, site))

    def _wake_if_wanted(self, plug_in: PlugIn, site: Site, auto_start: bool | None) -> None:
        if self._is_wanted(auto_start) and self._current(plug_in) is plug_in:
            self._wake(plug_in, site)

    def _wake(self, plug_in: PlugIn, site: Site) -> None:
        """Try now, unless a try is due or under way already, or none is wanted any more."""
        if not plug_in.is_due and not self._is_idle(plug_in):
            plug_in.job = site.schedule(0, partial(self._try, plug_in, site))

    def _is_idle(self, plug_in: PlugIn) -> bool:
        """Whether nothing is to be tried: it's over, or a command is under way, which sees to what follows."""
        key = (plug_in.charge_point_id, plug_in.numbers)
        return plug_in.served or plug_in.given_up or key in self._asking

    def _current(self, plug_in: PlugIn) -> PlugIn | None:
        """The plug-in that its connector is in now."""
        return self._of(plug_in.charge_point_id).by_connector.get(plug_in.numbers)

    async def _try(self, plug_in: PlugIn, site: Site) -> None:
        plug_in.job = None
        state = await site.charge_point(plug_in.charge_point_id)
        # Meanwhile the car may have gone, or something made a new try due.
        if self._current(plug_in) is not plug_in or plug_in.is_due or self._is_idle(plug_in):
            return
        if state is None or not self._may_start(plug_in, state, site):
            return
        if plug_in.tries < self._settings.tries:
            await self._ask(plug_in, site)
        else:
            self._give_up(plug_in, site)

    def _may_start(self, plug_in: PlugIn, state: ChargePointState, site: Site) -> bool:
        """Whether a start is wanted now and nothing stands against it; what changes that wakes the plug-in again."""
        connector = find_connector(state, plug_in.numbers)
        if not self._is_wanted(state.auto_start) or connector is None or not awaits_start(connector.status):
            return False
        if not state.connected or not state.accepted:
            return False
        reason = obstacle(state, connector, self._id_tag)
        if reason is not None and reason != plug_in.held_by:
            site.log.info("auto_start_held", **plug_in.subject, reason=reason)
        plug_in.held_by = reason
        return reason is None

    async def _ask(self, plug_in: PlugIn, site: Site) -> None:
        key = (plug_in.charge_point_id, plug_in.numbers)
        plug_in.tries += 1
        self._asking.add(key)
        refusal: str | None = "the command was cut short"
        try:
            refusal = await self._remote_start(plug_in, site)
        finally:
            self._asking.discard(key)
            self._go_on(plug_in, refusal, site)

    async def _remote_start(self, plug_in: PlugIn, site: Site) -> str | None:
        """Ask the charge point; None where it accepts, else why it doesn't."""
        evse_id, connector_id = plug_in.numbers
        try:
            accepted = await site.verbs.remote_start(plug_in.charge_point_id, connector_id, self._id_tag, evse_id)
        except NotConnected as error:
            plug_in.tries -= 1  # nothing was sent
            return str(error)
        except CommandError as error:
            return f"{type(error).__name__}: {error}"
        return None if accepted else "rejected"

    def _go_on(self, plug_in: PlugIn, refusal: str | None, site: Site) -> None:
        """After a try: make the next one due, or leave it at that."""
        settings = self._settings
        plug_in.last_outcome = refusal or "accepted, but no transaction began"
        site.log.info("auto_start_tried", **plug_in.subject, tries=plug_in.tries, outcome=refusal or "accepted")
        current = self._current(plug_in)
        if current is not plug_in:
            if current is not None:
                self._wake(current, site)
        elif plug_in.served:
            return
        elif refusal is not None and plug_in.tries == settings.tries:
            self._give_up(plug_in, site)
        else:
            growing = settings.retry_delay * 2 ** max(plug_in.tries - 1, 0)
            delay = settings.start_timeout if refusal is None else growing
            plug_in.job = site.schedule(delay, partial(self._try, plug_in, site))

    def _give_up(self, plug_in: PlugIn, site: Site) -> None:
        plug_in.given_up = True
        site.log.warning("auto_start_given_up", **plug_in.subject, tries=plug_in.tries, reason=plug_in.last_outcome)


def _to_remember(stopped: set[Numbers]) -> JsonValue:
    """A number for a connector of a charge point without EVSEs, else both numbers; None for none."""
    return [connector if evse == NO_EVSE else [evse, connector] for evse, connector in sorted(stopped)] or None


def _recalled(remembered: JsonValue) -> Iterator[Numbers]:
    for item in remembered if isinstance(remembered, list) else ():
        match item:
            case int(connector_id):
                yield NO_EVSE, connector_id
            case [int(evse_id), int(connector_id)]:
                yield evse_id, connector_id
            case _:
                pass
