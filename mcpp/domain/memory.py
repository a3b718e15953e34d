"""What the units of work remember from one to the next, so that not every message looks it up again.

It belongs to the writer's thread, and the writer has the one rule of forgetting: whatever else is written of a charge
point, or of any, takes away what is remembered of it. With and without a memory the database is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias, TypeVar

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.account import EnergyAccount
from mcpp.domain.allowance import Allowance, stored_size
from mcpp.domain.energy import account_of
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp.domain.samples import MOST_SHARED, Sample, SampleKind
from mcpp_generated.db.models import Connector, Transaction, TransactionState
from mcpp_generated.db.queries import Queries

NO_EVSE: Final = 0
"""evse_id of versions that know connectors only."""

CHARGE_POINT: Final = 0
"""The connector number that stands for the charge point as a whole (OCPP 1.6 §3.8)."""

WHOLE: Final = 0
"""The connector number that stands for all that its EVSE has, or without an EVSE for the charge point."""

_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


OTHER_KIND: Final = SampleKind("_OTHER", "", "", "", "", "")
"""Of samples for whose kind there is no room."""

T = TypeVar("T")

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


class ToldTransaction(NamedTuple):
    """An open transaction that its charge point reports by events, as the database has it."""

    transaction: Transaction
    state: TransactionState
    person_id: str | None
    """Who holds the card that began it; None where it's nobody's."""


class _ChargePointMemory:
    """What is remembered of one charge point."""

    __slots__ = ("accounts", "places", "told")

    def __init__(self) -> None:
        self.told: dict[str, ToldTransaction] = {}
        """By the charge point's own ids."""
        self.places: dict[tuple[int, int], Place] = {}
        """By EVSE and connector number."""
        self.accounts: dict[int, EnergyAccount] = {}
        """What the values of open transactions say, by their ids."""


class Memory:
    """Implements `mcpp.storage.observer.Memory`."""

    def __init__(self) -> None:
        self.kinds: Final[dict[SampleKind, int]] = {}
        """Keys of the kinds of samples, which are never deleted."""
        self.left_out: list[LeftOut] = []
        """What the unit of work at hand hasn't kept."""
        self._allowances: dict[int, Allowance] = {}
        self._device_allowances: dict[int, Allowance] = {}
        self._kinds_brought: dict[int, int] = {}
        self._newest_kind = 0
        self._charge_points: dict[int, _ChargePointMemory] = {}

    def place(self, q: Queries, charge_point_key: int, connector_id: int, evse_id: int = NO_EVSE) -> Place:
        """The connector of that number, made known where it wasn't."""
        place = self._of(charge_point_key).places.get((evse_id, connector_id))
        if place is None:
            place = self._remember(charge_point_key, ensure_connector(q, charge_point_key, connector_id, evse_id))
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

    def told(self, charge_point_key: int, ocpp_transaction_id: str) -> ToldTransaction | None:
        """What is remembered of a transaction by its charge point's id."""
        return self._of(charge_point_key).told.get(ocpp_transaction_id)

    def remember_told(self, ocpp_transaction_id: str, known: ToldTransaction) -> None:
        """Remember an open transaction until anything else is written of its charge point."""
        told = self._of(known.transaction.charge_point_key).told
        if len(told) >= _MOST_PLACES:
            told.clear()
        told[ocpp_transaction_id] = known

    def allows(self, occasion: Occasion, samples: Sequence[Sample]) -> bool:
        """Whether samples of a charge point may be stored, by how much it has had stored lately."""
        if _allowance_of(self._allowances, occasion).take(stored_size(samples), occasion.at):
            return True
        self.leave_out(Over.TOO_MUCH_TO_KEEP, "", f"{len(samples)} samples")
        return False

    def allows_event(self, occasion: Occasion) -> bool:
        """Whether one more event of a transaction may be kept beside its samples, as in `allows`."""
        return _allowance_of(self._allowances, occasion).take(bounds.ROW, occasion.at)

    def allows_device_news(self, occasion: Occasion, size: int) -> bool:
        """Whether so much of what a charge point tells of its devices may be stored, beside its samples."""
        return _allowance_of(self._device_allowances, occasion).take(size, occasion.at)

    def place_in_bounds(
        self, q: Queries, charge_point_key: int, connector_id: int, evse_id: int = NO_EVSE
    ) -> Place | None:
        """As `place`; None for a new connector of a charge point that has named too many."""
        place = self._of(charge_point_key).places.get((evse_id, connector_id))
        if place is not None:
            return place
        known = q.get_connector(charge_point_key=charge_point_key, evse_id=evse_id, connector_id=connector_id)
        if known is not None:
            return self._remember(charge_point_key, known)
        has_room = q.count_connectors(charge_point_key=charge_point_key) < bounds.CONNECTORS
        if has_room or (evse_id, connector_id) == (NO_EVSE, CHARGE_POINT):
            return self.place(q, charge_point_key, connector_id, evse_id)
        named = str(connector_id) if evse_id == NO_EVSE else f"{evse_id}/{connector_id}"
        self.leave_out(Over.TOO_MUCH_TO_KEEP, "connectorId", named)
        return None

    def kind_key(self, q: Queries, charge_point_key: int, kind: SampleKind) -> int:
        """The key that a kind of samples has in the database; of too many new ones, that of OTHER_KIND."""
        brought = self._kinds_brought.get(charge_point_key, 0)
        self._newest_kind = self._newest_kind or q.newest_sample_kind() or 0
        has_room = brought < bounds.SAMPLE_KINDS and self._newest_kind < bounds.SAMPLE_KINDS_OF_ALL
        if not has_room and kind != OTHER_KIND:
            key = q.find_sample_kind(**kind.as_dict())
            if key is None:
                self.leave_out(Over.TOO_MUCH_TO_KEEP, "measurand", kind.measurand)
                return self.kinds.get(OTHER_KIND) or self.kind_key(q, charge_point_key, OTHER_KIND)
        else:
            key = q.add_sample_kind(**kind.as_dict())
            self._kinds_brought[charge_point_key] = brought + 1
            self._newest_kind = max(self._newest_kind, key)
        if len(self.kinds) < MOST_SHARED:
            self.kinds[kind] = key
        return key

    def leave_out(self, rule: Over, field: str, came: str, kept: str = "") -> None:
        """Note what the unit of work at hand doesn't keep."""
        self.left_out.append(LeftOut(rule, field, came, kept))

    def counted(self, result: Result[T]) -> Result[T]:
        """The result of the unit of work at hand, with what it hasn't kept."""
        if not self.left_out:
            return result
        left_out, self.left_out = tuple(self.left_out), []
        return replace(result, left_out=left_out)

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
        self.left_out.clear()

    def _remember(self, charge_point_key: int, connector: Connector) -> Place:
        places = self._of(charge_point_key).places
        if len(places) >= _MOST_PLACES:
            places.clear()
        place = places[connector.evse_id, connector.connector_id] = Place(connector)
        return place

    def _of(self, charge_point_key: int) -> _ChargePointMemory:
        known = self._charge_points.get(charge_point_key)
        if known is None:
            known = self._charge_points[charge_point_key] = _ChargePointMemory()
        return known


def _allowance_of(allowances: dict[int, Allowance], occasion: Occasion) -> Allowance:
    allowance = allowances.get(occasion.charge_point_key)
    if allowance is None:
        allowance = allowances[occasion.charge_point_key] = Allowance()
    return allowance


def ensure_connector(q: Queries, charge_point_key: int, connector_id: int, evse_id: int = NO_EVSE) -> Connector:
    """The connector of that number, made known where it wasn't; of an EVSE, number 0 stands for the EVSE as a whole."""
    connector = q.get_connector(charge_point_key=charge_point_key, evse_id=evse_id, connector_id=connector_id)
    if connector is not None:
        return connector
    added = q.add_connector(
        charge_point_key=charge_point_key,
        evse_id=evse_id,
        connector_id=connector_id,
    )
    for whole_evse_id in dict.fromkeys((evse_id, NO_EVSE)):
        whole = q.get_connector(charge_point_key=charge_point_key, evse_id=whole_evse_id, connector_id=WHOLE)
        if whole is not None and whole.ordered_at is not None:
            q.order_availability(
                key=added.key, ordered_availability=whole.ordered_availability, ordered_at=whole.ordered_at
            )
            break
    return added
