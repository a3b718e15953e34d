"""Sharing current, with chargers that obey, refuse, fall silent, boot, forget and come back: the fuse holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mcpp.plugins import ChargePointState, ConnectorState
from mcpp.plugins.builtin.load_limit.group import Answer, Group, Order
from mcpp.plugins.builtin.load_limit.settings import GroupSettings
from mcpp.plugins.builtin.load_limit.shares import STEP, Connector, Demand, share
from tests.examples import examples

MINIMUM: Final = Decimal(6)
OWN_MAXIMUM: Final = Decimal(32)
CHARGERS: Final = {"CP-1": 1, "CP-2": 2, "CP-3": 1, "CP-4": 1}
"""How many connectors each has."""
CONNECTORS: Final = [Connector(name, number + 1) for name, count in CHARGERS.items() for number in range(count)]

amperes = st.integers(60, 320).map(lambda tenths: tenths * STEP)


@given(
    available=st.integers(-200, 2000).map(lambda tenths: tenths * STEP),
    minimum=st.sampled_from([Decimal(6), Decimal("7.3"), Decimal(10)]),
    most=st.lists(amperes, max_size=12),
)
def test_shares_never_exceed_what_is_available_and_waste_nothing(
    available: Decimal, minimum: Decimal, most: list[Decimal]
) -> None:
    demands = [Demand(Connector("CP", n), max(m, minimum)) for n, m in enumerate(most)]

    shares = share(available, minimum, demands)

    given_out = [shares[demand.connector] for demand in demands]
    served = [amount for amount in given_out if amount]
    assert sum(given_out) <= max(available, Decimal(0))
    assert all(minimum <= amount <= demand.most for amount, demand in zip(given_out, demands, strict=True) if amount)
    assert all(amount % STEP == 0 for amount in given_out)
    assert given_out[: len(served)] == served, "one that came later was served before one that waits"
    if len(served) < len(demands):
        assert available < minimum * (len(served) + 1)
    unsatisfied = [d for d in demands if 0 < shares[d.connector] < d.most]
    if unsatisfied:
        assert available - sum(given_out) < STEP * len(served)
        even = [shares[demand.connector] for demand in unsatisfied]
        assert max(even) - min(even) <= STEP


class Site(RuleBasedStateMachine):
    """Chargers behind one fuse; what each of them really has for a limit is written down here."""

    @initialize(
        maximum=st.sampled_from([Decimal(16), Decimal("25.5"), Decimal(40), Decimal(63)]),
        keep_minimum=st.booleans(),
        fresh=st.booleans(),
    )
    def build(self, maximum: Decimal, keep_minimum: bool, fresh: bool) -> None:
        self.now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
        self.fuse = GroupSettings(maximum=maximum, keep_minimum=keep_minimum, turn=timedelta(minutes=30))
        self.status = dict.fromkeys(CONNECTORS, "Available")
        self.online = dict.fromkeys(CHARGERS, True)
        self.in_force: dict[Connector, Decimal | None] = dict.fromkeys(CONNECTORS)
        """None: never limited, or forgotten."""
        self.memory: dict[Connector, tuple[Decimal, Decimal]] = {}
        self.on_the_way: list[Order] = []
        self.group = Group(self.fuse)
        self.look()
        if not fresh:
            self.obey()

    def look(self) -> None:
        self.group.see([self.state_of(name) for name in CHARGERS])
        self.order()

    def order(self) -> None:
        orders = self.group.orders(self.now)
        for order in orders:
            self.remember(order.connector)
        self.on_the_way += orders

    def remember(self, connector: Connector) -> None:
        limit = self.group.limits[connector]
        self.memory[connector] = (limit.least, limit.most)

    def state_of(self, name: str) -> ChargePointState:
        connectors = [
            ConnectorState(
                connector_id=connector.connector_id,
                status=self.status[connector],
                error_code="NoError",
                status_at=self.now,
                transaction_id=None,
                inoperative=False,
                reserved_for=None,
                session_correlation_id=None,
            )
            for connector in CONNECTORS
            if connector.charge_point_id == name
        ]
        return ChargePointState(
            charge_point_id=name,
            connected=self.online[name],
            accepted=True,
            vendor=None,
            model=None,
            firmware_version=None,
            auto_start=None,
            connectors=[replace(connectors[0], connector_id=0), *connectors],
        )

    @rule(
        connector=st.sampled_from(CONNECTORS),
        status=st.sampled_from(["Available", "Preparing", "Charging", "Charging", "SuspendedEV", "Finishing"]),
    )
    def report(self, connector: Connector, status: str) -> None:
        self.status[connector] = status
        self.look()

    @precondition(lambda self: self.on_the_way)
    @rule(
        data=st.data(),
        answer=st.sampled_from([Answer.ACCEPTED, Answer.ACCEPTED, Answer.ACCEPTED, Answer.REFUSED, Answer.LOST]),
        obeyed=st.booleans(),
        remembered=st.booleans(),
    )
    def answer(self, data: st.DataObject, answer: Answer, obeyed: bool, remembered: bool) -> None:
        """A charger answers, or doesn't; then it may have obeyed or not. The server may die before it notes that."""
        order = self.on_the_way.pop(data.draw(st.integers(0, len(self.on_the_way) - 1), label="order"))
        if not self.online[order.connector.charge_point_id]:
            answer = Answer.LOST
        if answer is Answer.ACCEPTED or obeyed:
            self.in_force[order.connector] = order.amperes
        self.group.settle(order, answer, self.now)
        self.order()
        if remembered:
            self.remember(order.connector)

    @precondition(lambda self: self.on_the_way and all(self.online.values()))
    @rule()
    def obey(self) -> None:
        """Every charger accepts what it's told, until all is told."""
        for _ in range(100):
            if not self.on_the_way:
                return
            self.answer_at_once()
        raise AssertionError("orders without end")

    @rule(name=st.sampled_from(sorted(CHARGERS)))
    def lose(self, name: str) -> None:
        self.online[name] = False
        self.look()

    @rule(name=st.sampled_from(sorted(CHARGERS)))
    def come_back(self, name: str) -> None:
        self.online[name] = True
        self.group.note_connect(name)
        self.look()

    @rule(name=st.sampled_from(sorted(CHARGERS)), forgets=st.booleans(), data=st.data())
    def boot(self, name: str, forgets: bool, data: st.DataObject) -> None:
        """What was on its way is lost, or was obeyed just before."""
        lost = [order for order in self.on_the_way if order.connector.charge_point_id == name]
        self.on_the_way = [order for order in self.on_the_way if order not in lost]
        for order in lost:
            if data.draw(st.booleans(), label="obeyed"):
                self.in_force[order.connector] = order.amperes
        if forgets:
            self.in_force |= {connector: None for connector in CONNECTORS if connector.charge_point_id == name}
        self.online[name] = True
        self.group.note_boot(name)
        for order in lost:
            self.group.settle(order, Answer.LOST, self.now)
        self.look()

    @rule(minutes=st.sampled_from([0.1, 1, 5, 31, 120]))
    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        self.look()

    @rule(data=st.data())
    def restart_the_server(self, data: st.DataObject) -> None:
        for order in self.on_the_way:
            if data.draw(st.booleans(), label="obeyed"):
                self.in_force[order.connector] = order.amperes
        self.on_the_way.clear()
        self.group = Group(self.fuse, remembered=dict(self.memory))
        self.look()

    @invariant()
    def the_fuse_holds(self) -> None:
        if hasattr(self, "group"):
            assert sum(limit for limit in self.in_force.values() if limit is not None) <= self.fuse.maximum

    @invariant()
    def what_is_in_force_is_what_counts(self) -> None:
        if hasattr(self, "group"):
            for connector, in_force in self.in_force.items():
                limit = self.group.limits[connector]
                assert in_force is None or limit.least <= in_force <= limit.most

    def teardown(self) -> None:
        """Once all is well, everybody has what he should have, after a bounded number of commands."""
        if not hasattr(self, "group"):
            return
        for name in CHARGERS:
            self.come_back(name)
        self.obey()
        self.now += timedelta(minutes=61)
        self.look()
        self.obey()
        assert None not in self.in_force.values()
        cars = [c for c in CONNECTORS if self.status[c] in {"Preparing", "Charging", "SuspendedEV"}]
        charging = [c for c in cars if self.in_force[c]]
        assert len(charging) == min(len(cars), int(self.fuse.maximum / MINIMUM))
        assert all((self.in_force[c] or 0) >= MINIMUM for c in charging)
        for connector in CONNECTORS:
            if connector not in cars and not self.fuse.keep_minimum:
                assert self.in_force[connector] == 0
        drawing = [c for c in charging if self.status[c] != "SuspendedEV"]
        if drawing and not self.fuse.keep_minimum:
            spare = self.fuse.maximum - sum(limit or 0 for limit in self.in_force.values())
            hungry = [c for c in drawing if (self.in_force[c] or 0) < OWN_MAXIMUM - Decimal("0.5")]
            assert not hungry or spare < Decimal("0.6") * len(drawing)

    def answer_at_once(self) -> None:
        order = self.on_the_way.pop(0)
        self.in_force[order.connector] = order.amperes
        self.group.settle(order, Answer.ACCEPTED, self.now)
        self.order()
        self.the_fuse_holds()


TestSite = Site.TestCase
TestSite.settings = examples(times=1.5, steps=40)
