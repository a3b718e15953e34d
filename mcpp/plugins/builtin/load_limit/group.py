"""A group of chargers behind one fuse: what each connector may draw as far as is known, and what to order next.

No I/O: the plugin passes on what it sees and what became of the orders. What a connector may draw is known as a span:
an order that wasn't answered may have been obeyed or not. The sum of the upper ends is what counts against the
maximum, so a limit goes up only into room that others have given up and confirmed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Final

from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.statuses import ConnectorStatus, may_draw_current
from mcpp.plugins.builtin.load_limit.settings import GroupSettings
from mcpp.plugins.builtin.load_limit.shares import NOTHING, Connector, Demand, share
from mcpp.plugins.site import ChargePointState, ConnectorState

_WORTHWHILE: Final = Decimal("0.5")
"""A limit isn't raised by less, in A: each command costs the charger a write to its flash."""
_RETRY: Final = timedelta(minutes=1)
_LONGEST_RETRY: Final = timedelta(hours=1)
_RETRY_LOST: Final = timedelta(seconds=5)


class Answer(Enum):
    """What became of an order."""

    ACCEPTED = auto()
    REFUSED = auto()
    """Or not answered: it may have been obeyed all the same."""
    LOST = auto()
    """The charge point was, or went, offline."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Let this connector draw so many A per phase and no more."""

    connector: Connector
    amperes: Decimal


@dataclass(slots=True)
class Limit:
    """What is known of one connector's limit, in A per phase."""

    maximum: Decimal
    """What the connector can draw by itself."""
    least: Decimal
    """The lowest limit that may be in force."""
    most: Decimal
    """The highest limit that may be in force; counts against the group's maximum."""
    settled: bool = False
    """Whether the charge point accepted exactly this, and hasn't booted since."""
    booted: bool = False
    """Whether the charge point booted since it last accepted one: it may have forgotten its limits."""
    reachable: bool = False
    car: Demand | None = None
    order: Order | None = None
    """On its way."""
    refusals: int = 0
    not_before: datetime | None = None
    """When the next order may be given, after one that failed."""

    def controlled(self, now: datetime) -> bool:
        """Whether an order makes sense now."""
        return self.reachable and (self.not_before is None or self.not_before <= now)


@dataclass(slots=True)
class Group:
    """Chargers that share one maximum current."""

    settings: GroupSettings
    remembered: Mapping[Connector, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Least and most of each connector, from before the server's start."""
    limits: dict[Connector, Limit] = field(default_factory=dict)
    _cars: list[Connector] = field(default_factory=list)
    """Those with a car, in the order in which they are served."""
    _turn_at: datetime | None = None

    def see(self, charge_points: Collection[ChargePointState]) -> None:
        """Take in how the group's charge points are now; each has at least one connector, reported or not."""
        limits: dict[Connector, Limit] = {}
        arrived: list[tuple[str, Connector]] = []
        for name in self.settings.charge_points or ():
            limits[Connector(name, 1)] = self._known(Connector(name, 1))
        for point in charge_points:
            first = Connector(point.charge_point_id, 1)
            states = _states_of(point)
            if states and first not in states:
                limits.pop(first, None)
            for connector in states or (first,):
                state = states.get(connector)
                limit = limits[connector] = self._known(connector)
                limit.reachable = point.connected and point.accepted
                limit.car = self._car(connector, limit, state) if state else None
                if state and limit.car and connector not in self._cars:
                    arrived.append((str(state.status_at), connector))
        self.limits = limits
        staying = [connector for connector in self._cars if connector in limits and limits[connector].car]
        self._cars = staying + [connector for _, connector in sorted(arrived)]

    def _known(self, connector: Connector) -> Limit:
        """Not settled at first, whatever is remembered: the charge point may have booted while the server was down."""
        if connector in self.limits:
            return self.limits[connector]
        maximum = self.settings.maximum_of(connector.charge_point_id)
        least, most = self.remembered.get(connector, (NOTHING, maximum))
        return Limit(maximum, least, most)

    def _car(self, connector: Connector, limit: Limit, state: ConnectorState) -> Demand | None:
        if state.transaction_id is None and not may_draw_current(state.status):
            return None
        is_full = state.status == ConnectorStatus.SUSPENDED_EV
        return Demand(connector, self.settings.minimum if is_full else limit.maximum)

    def note_connect(self, charge_point_id: str) -> None:
        """A charge point is back: it may be ordered at once."""
        for limit in self._of(charge_point_id):
            limit.not_before = None

    def note_boot(self, charge_point_id: str) -> None:
        """A charge point booted, and may have forgotten its limits: they are set again."""
        for limit in self._of(charge_point_id):
            limit.settled, limit.booted = False, True
            limit.order, limit.not_before, limit.refusals = None, None, 0

    def _of(self, charge_point_id: str) -> list[Limit]:
        return [limit for connector, limit in self.limits.items() if connector.charge_point_id == charge_point_id]

    def orders(self, now: datetime) -> list[Order]:
        """What can be ordered at this moment without the sum of limits rising above the maximum, whoever obeys."""
        self._take_turns(now)
        targets = self._targets(now)
        counted = sum((limit.most for limit in self.limits.values()), NOTHING)
        orders = []
        for connector, target in targets.items():
            limit = self.limits[connector]
            if limit.order is not None:
                continue
            others = counted - limit.most
            amperes = self._next_step(limit, target, room=self.settings.maximum - others)
            if limit.settled and amperes == limit.most:
                continue
            limit.least, limit.most = min(limit.least, amperes), max(limit.most, amperes)
            limit.order, limit.settled = Order(connector, amperes), False
            counted = others + limit.most
            orders.append(limit.order)
        return orders

    def _take_turns(self, now: datetime) -> None:
        """Where cars have waited long enough, they go first, and the last of the others wait."""
        shares = share(self.available(now), self.settings.minimum, self._demands(now))
        waiting = [connector for connector, amperes in shares.items() if not amperes]
        if not waiting:
            self._turn_at = None
        elif self._turn_at is None:
            self._turn_at = now + self.settings.turn
        elif self._turn_at <= now:
            self._turn_at = now + self.settings.turn
            self._cars = waiting + [connector for connector in self._cars if connector not in waiting]

    def _targets(self, now: datetime) -> dict[Connector, Decimal]:
        """The limits to arrive at, of those that can be ordered now."""
        idle = [c for c, limit in self.limits.items() if limit.car is None and limit.controlled(now)]
        demands = self._demands(now)
        if self.settings.keep_minimum:
            demands += [Demand(connector, self.settings.minimum) for connector in idle]
        return dict.fromkeys(idle, NOTHING) | share(self.available(now), self.settings.minimum, demands)

    def _demands(self, now: datetime) -> list[Demand]:
        limits = (self.limits[connector] for connector in self._cars)
        return [limit.car for limit in limits if limit.car and limit.controlled(now)]

    def available(self, now: datetime) -> Decimal:
        """What those that can't be ordered now leave to the others; negative where they may draw too much already."""
        return self.settings.maximum - sum(
            (limit.most for limit in self.limits.values() if not limit.controlled(now)), NOTHING
        )

    def uncontrolled(self, now: datetime) -> Sequence[str]:
        """The charge points whose limit can't be changed now, but counts."""
        return sorted(
            {c.charge_point_id for c, limit in self.limits.items() if limit.most and not limit.controlled(now)}
        )

    def _next_step(self, limit: Limit, target: Decimal, *, room: Decimal) -> Decimal:
        if target <= limit.least:
            return target
        if limit.settled and limit.most >= self.settings.minimum and target - limit.most < _WORTHWHILE:
            return limit.most
        return target if target <= room else limit.least

    def settle(self, order: Order, answer: Answer, now: datetime) -> None:
        """Take in what became of an order."""
        limit = self.limits.get(order.connector)
        if limit is None or limit.order is not order:
            return  # the charge point was removed, or booted since and is ordered again
        limit.order = None
        if answer is Answer.ACCEPTED:
            limit.least = limit.most = order.amperes
            limit.settled, limit.booted = True, False
            limit.refusals, limit.not_before = 0, None
        elif answer is Answer.REFUSED:
            if limit.booted:
                limit.most = max(limit.most, limit.maximum)
            limit.not_before = now + min(_RETRY * 2**limit.refusals, _LONGEST_RETRY)
            limit.refusals = min(limit.refusals + 1, 10)
        else:
            limit.not_before = now + _RETRY_LOST

    def look_again_at(self, now: datetime) -> datetime | None:
        """When there may be something to order though nothing happens: the next try, or the next turn."""
        tries = [limit.not_before for limit in self.limits.values() if limit.reachable and limit.not_before]
        moments = [moment for moment in (*tries, self._turn_at) if moment is not None and moment > now]
        return min(moments, default=None)


def _states_of(point: ChargePointState) -> dict[Connector, ConnectorState]:
    """What can be limited at a charge point, by how it is: its connectors, or its EVSEs as a whole.

    An EVSE is as the one of its connectors is that has a transaction or a car: no two are in use at a time.
    """
    states: dict[Connector, ConnectorState] = {}
    for state in point.connectors:
        if state.connector_id == CHARGE_POINT:
            continue
        number = state.connector_id if state.evse_id == NO_EVSE else CHARGE_POINT
        connector = Connector(point.charge_point_id, number, state.evse_id)
        if connector not in states or _use_of(state) > _use_of(states[connector]):
            states[connector] = state
    return states


def _use_of(state: ConnectorState) -> tuple[bool, bool]:
    return state.transaction_id is not None, may_draw_current(state.status)
