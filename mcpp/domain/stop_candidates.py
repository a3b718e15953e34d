"""What a stop that names no transaction may be of; what is stored about each is asked once for many stops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from mcpp.domain.chronology import UNSET_BEFORE
from mcpp.domain.energy import Register, register_so_far
from mcpp.domain.shown_power import greatest_power_watts
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

_MOST_RECOVERED: Final = 50
_MOST_FOLLOWING: Final = 20


class Candidate:
    """A transaction with what is stored about it; good until something is written."""

    def __init__(self, q: Queries, transaction: Transaction) -> None:
        self.transaction = transaction
        self._q = q

    @cached_property
    def has_kept_stop(self) -> bool:
        """Whether recovery closed it by a stop."""
        transaction = self.transaction
        return transaction.stopped_at is not None and bool(
            self._q.list_stops_of_transaction(transaction_id=transaction.id)
        )

    @cached_property
    def register(self) -> Register:
        """The newest one that is known of it."""
        return register_so_far(self._q, self.transaction)

    @cached_property
    def shown_watts(self) -> float | None:
        """The greatest power that it has shown; None where it has shown none."""
        return greatest_power_watts(self._q, self.transaction)

    @cached_property
    def following(self) -> Sequence[Transaction]:
        """The next ones of its connector, by the charger's clock, or as they came where that wasn't set."""
        q, transaction, key = self._q, self.transaction, self.transaction.connector_key
        return [
            *q.list_started_after(connector_key=key, started_at=transaction.started_at, row_limit=_MOST_FOLLOWING),
            *q.list_started_by_unset_clock(
                connector_key=key, unset_before=UNSET_BEFORE, after_id=transaction.id, row_limit=_MOST_FOLLOWING
            ),
        ]


def candidates(q: Queries, charge_point_key: int) -> list[Candidate]:
    """The open transactions of a charge point, and those recovered."""
    return [
        Candidate(q, transaction)
        for transaction in (
            *q.find_open_on_charge_point(charge_point_key=charge_point_key),
            *q.list_recovered_of_charge_point(charge_point_key=charge_point_key, row_limit=_MOST_RECOVERED),
        )
    ]
