"""The plugin: what happens at the site makes it look, reckon and order."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial

from pydantic import JsonValue

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ChargePointDisconnected,
    ConnectorStatusChanged,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.ocppj.errors import CommandError, ConnectionLost, NotConnected
from mcpp.plugins import ChargePointState, Scheduled, Site, hookimpl
from mcpp.plugins.builtin.load_limit.group import Answer, Group, Order
from mcpp.plugins.builtin.load_limit.settings import GroupSettings, LoadLimitSettings
from mcpp.plugins.builtin.load_limit.shares import Connector


class LoadLimit:
    """Keeps the sum of what chargers may draw below the maximum of their group, at every moment."""

    def __init__(self, settings: LoadLimitSettings | None = None) -> None:
        """Settings come from the environment where none are given. Raises ValidationError, StartError."""
        settings = settings or LoadLimitSettings()
        self._settle = settings.settle
        self._groups = [Group(group) for group in settings.groups()]
        self._looking = asyncio.Lock()
        self._recalled = False
        self._short = False
        self._next_look: Scheduled | None = None
        self._alarm: Scheduled | None = None

    @hookimpl
    def server_started(self, site: Site) -> None:
        """Compare what is with what was remembered."""
        self._wake(site)

    @hookimpl
    def charge_point_connected(self, event: ChargePointConnected, site: Site) -> None:
        """It can be ordered again."""
        for group in self._groups:
            group.note_connect(event.charge_point_id)
        self._wake(site)

    @hookimpl
    def charge_point_disconnected(self, event: ChargePointDisconnected, site: Site) -> None:  # noqa: ARG002  hook
        """It keeps its share: it may go on charging."""
        self._wake(site)

    @hookimpl
    def charge_point_booted(self, event: ChargePointBooted, site: Site) -> None:
        """It may have forgotten its limits."""
        for group in self._groups:
            group.note_boot(event.charge_point_id)
        self._wake(site)

    @hookimpl
    def connector_status_changed(self, event: ConnectorStatusChanged, site: Site) -> None:  # noqa: ARG002  hook
        """A car came, went, or is full."""
        self._wake(site)

    @hookimpl
    def transaction_started(self, event: TransactionStarted, site: Site) -> None:  # noqa: ARG002  hook
        """As a car that came, for chargers that report no Preparing."""
        self._wake(site)

    @hookimpl
    def transaction_stopped(self, event: TransactionStopped, site: Site) -> None:  # noqa: ARG002  hook
        """Its share is free."""
        self._wake(site)

    @hookimpl
    def transaction_recovered(self, event: TransactionRecovered, site: Site) -> None:  # noqa: ARG002  hook
        """Its share is free."""
        self._wake(site)

    def _wake(self, site: Site) -> None:
        if self._next_look is None:
            self._next_look = site.schedule(self._settle, partial(self._look, site))

    async def _look(self, site: Site) -> None:
        async with self._looking:
            self._next_look = None
            if not self._recalled:
                remembered = _remembered(await site.recall())
                for group in self._groups:
                    group.remembered = remembered
                self._recalled = True
            charge_points = await site.charge_points()
            for group in self._groups:
                group.see(self._members(group.settings, charge_points))
        self._give_orders(site)

    def _members(self, group: GroupSettings, charge_points: Collection[ChargePointState]) -> list[ChargePointState]:
        if group.charge_points is not None:
            return [point for point in charge_points if point.charge_point_id in group.charge_points]
        elsewhere = {name for other in self._groups for name in other.settings.charge_points or ()}
        return [
            point
            for point in charge_points
            if point.charge_point_id not in elsewhere and (point.accepted or point.connected)
        ]

    def _give_orders(self, site: Site) -> None:
        now = site.now()
        for group in self._groups:
            for order in group.orders(now):
                site.schedule(0, partial(self._carry_out, site, group, order))
        if self._alarm is not None:
            self._alarm.cancel()
        moments = [moment for group in self._groups if (moment := group.look_again_at(now))]
        self._alarm = None
        if moments:
            self._alarm = site.schedule((min(moments) - now).total_seconds(), partial(self._look, site))
        self._log_shortage(site)

    def _log_shortage(self, site: Site) -> None:
        """Log once that some may take so much that nothing is left for the others, and once that it's over."""
        uncontrolled = [
            name
            for group in self._groups
            if group.available(site.now()) < group.settings.minimum
            for name in group.uncontrolled(site.now())
        ]
        if uncontrolled and not self._short:
            site.log.warning("current_short", category="system", uncontrolled=uncontrolled)
        elif self._short and not uncontrolled:
            site.log.info("current_sufficient", category="system")
        self._short = bool(uncontrolled)

    async def _carry_out(self, site: Site, group: Group, order: Order) -> None:
        """Send one order; what it may have done is remembered before, so that a crash can't hide it."""
        answer = Answer.REFUSED
        try:
            await _remember(site, group, order.connector)
            answer = await _send(site, order)
        finally:
            group.settle(order, answer, site.now())
            self._give_orders(site)
        await _remember(site, group, order.connector)


async def _send(site: Site, order: Order) -> Answer:
    connector = order.connector
    log = site.log.bind(category="system", **connector.facts, current_amperes=float(order.amperes))
    try:
        accepted = await site.verbs.limit_current(
            connector.charge_point_id, connector.connector_id, order.amperes, connector.evse_id
        )
    except (NotConnected, ConnectionLost) as error:
        log.info("current_limit_lost", error=str(error))
        return Answer.LOST
    except CommandError as error:
        log.warning("current_limit_failed", error=str(error) or type(error).__name__)
        return Answer.REFUSED
    if not accepted:
        log.warning("current_limit_refused")
        return Answer.REFUSED
    log.info("current_limit_set")
    return Answer.ACCEPTED


async def _remember(site: Site, group: Group, connector: Connector) -> None:
    limit = group.limits.get(connector)
    if limit is not None:
        await site.remember(connector.key, [str(limit.least), str(limit.most)])


def _remembered(memory: Mapping[str, JsonValue]) -> dict[Connector, tuple[Decimal, Decimal]]:
    spans = {}
    for key, value in memory.items():
        match value:
            case [str(least), str(most)]:
                spans[Connector.of_key(key)] = (Decimal(least), Decimal(most))
    return spans
