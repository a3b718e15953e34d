"""What the units of work remember from one to the next, so that not every message looks it up again.

It belongs to the writer's thread, and the writer has the one rule of forgetting: whatever else is written of a charge
point, or of any, takes away what is remembered of it. With and without a memory the database is the same.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final, TypeAlias

from mcpp.domain.account import EnergyAccount
from mcpp.domain.energy import account_of
from mcpp.domain.samples import SampleKind
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries

NO_EVSE: Final = 0
"""evse_id of versions that know connectors only."""

CHARGE_POINT: Final = 0
"""The connector number that stands for the charge point as a whole (OCPP 1.6 §3.8)."""

_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


_MOST_PLACES: Final = 64
"""Connectors of a charge point that are remembered: a charger may make up numbers."""


def as_stored(moment: datetime) -> datetime:
    """A time as the database keeps it, in whole milliseconds: what is remembered must equal what would be read."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class _Unasked(Enum):
    """The type of _UNASKED: the database wasn't asked yet."""

    UNASKED = auto()


_UNASKED: Final = _Unasked.UNASKED
_Asked: TypeAlias = Transaction | _Unasked | None


class Place:
    """A connector with its transactions, as the database has them."""

    __slots__ = ("_newest", "_running", "connector")

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self._newest: _Asked = _UNASKED
        self._running: _Asked = _UNASKED

    def newest(self, q: Queries) -> Transaction | None:
        """The transaction that began last, ended or not."""
        newest = self._newest
        if newest is _UNASKED:
            newest = self._newest = q.find_on_connector_at(connector_key=self.connector.key, at=_END_OF_TIME)
        return newest

    def running(self, q: Queries) -> Transaction | None:
        """The one transaction that is open."""
        running = self._running
        if running is _UNASKED:
            newest = self._newest
            if newest is _UNASKED or newest is None or newest.stopped_at is not None:
                running = q.find_open_on_connector(connector_key=self.connector.key)
            else:
                running = newest
            self._running = running
        return running


class _ChargePointMemory:
    """What is remembered of one charge point."""

    __slots__ = ("accounts", "places")

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        """By connector number."""
        self.accounts: dict[int, EnergyAccount] = {}
        """What the values of open transactions say, by their ids."""


class Memory:
    """Implements `mcpp.storage.observer.Memory`."""

    def __init__(self) -> None:
        self.kinds: Final[dict[SampleKind, int]] = {}
        """Keys of the kinds of samples, which are never deleted."""
        self._charge_points: dict[int, _ChargePointMemory] = {}

    def place(self, q: Queries, charge_point_key: int, connector_id: int) -> Place:
        """The connector of that number, made known where it wasn't."""
        places = self._of(charge_point_key).places
        place = places.get(connector_id)
        if place is None:
            if len(places) >= _MOST_PLACES:
                places.clear()
            place = places[connector_id] = Place(ensure_connector(q, charge_point_key, connector_id))
        return place

    def account(self, q: Queries, transaction: Transaction) -> EnergyAccount:
        """What the stored values of an open transaction say."""
        accounts = self._of(transaction.charge_point_key).accounts
        account = accounts.get(transaction.id)
        if account is None:
            if len(accounts) >= _MOST_PLACES:
                accounts.clear()
            account = accounts[transaction.id] = account_of(q, transaction)
        return account

    def forget_account(self, transaction: Transaction) -> None:
        """Values were stored that it doesn't have."""
        self._of(transaction.charge_point_key).accounts.pop(transaction.id, None)

    def forget(self, charge_point_key: int | None) -> None:
        """Something else may have been written of this charge point, or of any."""
        if charge_point_key is None:
            self._charge_points.clear()
        else:
            self._charge_points.pop(charge_point_key, None)

    def rolled_back(self) -> None:
        """What was written may be undone, and with it what was remembered of it."""
        self._charge_points.clear()
        self.kinds.clear()

    def _of(self, charge_point_key: int) -> _ChargePointMemory:
        known = self._charge_points.get(charge_point_key)
        if known is None:
            known = self._charge_points[charge_point_key] = _ChargePointMemory()
        return known


def ensure_connector(q: Queries, charge_point_key: int, connector_id: int) -> Connector:
    """The connector of that number, made known where it wasn't."""
    connector = q.get_connector(charge_point_key=charge_point_key, evse_id=NO_EVSE, connector_id=connector_id)
    if connector is not None:
        return connector
    added = q.add_connector(charge_point_key=charge_point_key, evse_id=NO_EVSE, connector_id=connector_id)
    whole = q.get_connector(charge_point_key=charge_point_key, evse_id=NO_EVSE, connector_id=CHARGE_POINT)
    if whole is not None and whole.ordered_at is not None:
        q.order_availability(
            key=added.key, ordered_availability=whole.ordered_availability, ordered_at=whole.ordered_at
        )
    return added
