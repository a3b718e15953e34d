"""A charge point that comes back with a version of another kind: its connectors are others, its transactions too."""

from __future__ import annotations

from datetime import datetime

from mcpp.domain.stop_matching import is_named_by_our_id
from mcpp_generated.db.enums import Suspicion
from mcpp_generated.db.queries import Queries


def change_version(q: Queries, charge_point_key: int, now: datetime, *, has_evses: bool) -> None:
    """Show the connectors of the version that a charge point speaks from now on, and doubt what it can't speak of.

    The rows of the other version stay in the books. Some chargers try one version for a moment before they speak
    another: what was doubted because of that is trusted again as soon as an event speaks for it.
    """
    q.set_has_evses(key=charge_point_key, has_evses=has_evses)
    q.show_connectors(charge_point_key=charge_point_key, has_evses=has_evses)
    for transaction in q.find_open_on_charge_point(charge_point_key=charge_point_key):
        if is_named_by_our_id(transaction) is has_evses and transaction.suspicion is None:
            q.suspect_transaction(
                id=transaction.id, suspicion=Suspicion.VERSION_CHANGE, suspicion_at=now, grace_began_at=now
            )
