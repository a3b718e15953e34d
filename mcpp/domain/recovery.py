"""Orphans: transactions that their charger left open, and when the server may close them.

What speaks against an open transaction makes it suspected; what speaks for it takes that back; what is still suspected
after a grace period is closed by the best evidence. Nothing is lost by closing: the charger's own stop supersedes.

Against it speak
- `Available` of its connector: "available for a new user" (OCPP 1.6 §7.7), and a charger reports each change at once,
  while the stop may wait in its queue. `Available` of connector 0 is the charge point's own and says nothing (§4.9).
- A boot: a charger that resumes its transactions says so by status or meter values, and others forget them in silence.

For it speak `Charging`, `SuspendedEV` and `SuspendedEVSE`, and meter values measured later that name it: those that
name none may be of the idle connector, and are filed there. Where the connector stands at `Available`, only a register
that grows contradicts it, since chargers go on naming a transaction long after its stop.

Nothing is concluded from the other statuses, so that after a boot they count as silence:
- `Preparing` by the specification has no transaction yet, but chargers report it late, or until the car draws power. If
  something new begins, its start closes the old one.
- `Finishing` by the specification has none any more, but chargers keep it, or report it of a full battery. `Available`
  follows when the cable goes.
- `Faulted` and `Unavailable` may return to the state before (§4.9, table of transitions).

The grace period runs only while the charge point is connected, to this process, since a queue is delivered by
connections: so neither a charger that stays away nor the server's own downtime closes anything. Older messages of
the transaction show that the queue is being delivered and restart the period. Those that come after the closing
correct it, once they have all come. Where the clock has jumped, the periods begin anew: they're never too short, and
too long by one at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from mcpp.domain.bill import bill_of_values
from mcpp.domain.chronology import believable, is_past_start
from mcpp.domain.closing import (
    Cause,
    Evidence,
    EvidenceSource,
    Fact,
    close_by_evidence,
    last_evidence,
)
from mcpp.domain.energy import account_of, register_of
from mcpp.domain.events import TransactionRecovered
from mcpp.domain.evidence import Origin
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.samples import Sample
from mcpp.domain.statuses import is_free, is_in_transaction
from mcpp_generated.db.enums import Suspicion
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries

# Most transactions that one write closes; the rest follows with the next.
_CLOSED_AT_ONCE = 200


def weigh_status(
    q: Queries, occasion: Occasion, connector: Connector, running: Transaction, status: str, reported_at: datetime
) -> bool:
    """Weigh a status of the connector that a transaction runs on, which may be older than one that's known.

    `connector` is as it was before. Returns whether that changed the transaction.
    """
    if is_free(status):
        # Some chargers queue statuses too: it may be of the connector's time before the transaction, or before it was
        # said to go on.
        began_at = believable(running.started_at, running.start_received_at)
        is_contradicted = (
            is_in_transaction(connector.status)
            and connector.status_at is not None
            and connector.status_at > reported_at
        )
        if believable(reported_at, occasion.at) >= began_at and not is_contradicted:
            _suspect(q, occasion, running, Suspicion.CONNECTOR_AVAILABLE, reported_at)
            return True
    elif is_in_transaction(status) and running.suspicion_at is not None:
        is_stale = running.suspicion is Suspicion.CONNECTOR_AVAILABLE and reported_at < running.suspicion_at
        if not is_stale:
            q.trust_transaction(id=running.id)
            return True
    return False


def weigh_boot(q: Queries, occasion: Occasion) -> None:
    """Suspect what a charge point had open when it booted; to be called before the boot is stored.

    A reboot needs a new connection: only the first boot of each counts, and no transaction that the charge point has
    spoken for since it connected. The others are repeats, or were asked for (OCPP 1.6 §5.17).
    """
    running = q.find_open_on_charge_point(charge_point_key=occasion.charge_point_key)
    if not running:
        return
    charge_point = q.get_charge_point(identity=occasion.charge_point_id)
    assert charge_point is not None, "it's talking to us"
    connected_at, booted_at = charge_point.last_connect_at, charge_point.last_boot_at
    if connected_at is not None and booted_at is not None and booted_at >= connected_at:
        return
    for transaction in running:
        connector = q.find_connector(key=transaction.connector_key)
        if connected_at is None or not _speaks_for_its_transaction(connector, connected_at):
            _suspect(q, occasion, transaction, Suspicion.BOOT, occasion.at)


def weigh_start(
    q: Queries, occasion: Occasion, connector: Connector, transaction_id: int, started_at: datetime
) -> None:
    """Weigh what is known already against a start that was delivered late; `connector` is as it was before."""
    status_at, began_at = connector.status_at, believable(started_at, occasion.at)
    if is_free(connector.status) and status_at is not None and status_at > began_at:
        suspicion, suspicion_at = Suspicion.CONNECTOR_AVAILABLE, status_at
    else:
        booted_at = q.get_last_boot(key=occasion.charge_point_key)
        if booted_at is None or booted_at <= began_at or _speaks_for_its_transaction(connector, booted_at):
            return
        suspicion, suspicion_at = Suspicion.BOOT, booted_at
    q.suspect_transaction(id=transaction_id, suspicion=suspicion, suspicion_at=suspicion_at, grace_began_at=occasion.at)


def weigh_repeated_start(q: Queries, occasion: Occasion, transaction: Transaction) -> None:
    """A start that is repeated comes from a queue that is being delivered: what follows it needs its time."""
    if transaction.suspicion is not None:
        q.restart_grace(id=transaction.id, grace_began_at=occasion.at)


def weigh_meter_values(q: Queries, occasion: Occasion, transaction: Transaction, samples: Sequence[Sample]) -> bool:
    """Weigh samples that will be filed with a transaction which is suspected to be over, or was closed as such.

    Once it's suspected, later samples are those that name it. Returns whether that changed the transaction.
    """
    since = transaction.suspicion_at
    if since is None or max(sample.measured_at for sample in samples) <= since:
        q.restart_grace(id=transaction.id, grace_began_at=occasion.at)
        return True
    connector = q.find_connector(key=transaction.connector_key)
    stands_free = connector is not None and is_free(connector.status)
    is_trusted = not stands_free or _has_grown(q, transaction, since, samples, occasion.at)
    if is_trusted:
        q.trust_transaction(id=transaction.id)
    return is_trusted


def weigh_event(q: Queries, occasion: Occasion, transaction: Transaction, happened_at: datetime) -> bool:
    """Weigh an event that names an open transaction which is suspected to be over, and isn't its end.

    One of after what spoke against it is its charger's word that it runs; an older one shows that a queue is being
    delivered. Returns whether that changed the transaction.
    """
    if transaction.suspicion_at is None:
        return False
    if believable(happened_at, occasion.at) > transaction.suspicion_at:
        q.trust_transaction(id=transaction.id)
    else:
        q.restart_grace(id=transaction.id, grace_began_at=occasion.at)
    return True


def restart_grace_periods(q: Queries, now: datetime) -> None:
    """Begin every grace period anew, since the clock that they were measured by has jumped."""
    q.restart_grace_periods(grace_began_at=now)


def close_orphans(
    q: Queries,
    now: datetime,
    grace: timedelta,
    connected_since: Mapping[int, datetime],
    new_correlation_id: Callable[[], str],
) -> Result[int]:
    """Close what is still suspected after its grace period. Returns how many.

    `connected_since` has the charge points that are connected now, by their keys. What a charge point can be asked
    about waits for `mcpp.domain.inquiries`.
    """
    due = list(islice(_orphans(q, now - grace, connected_since), _CLOSED_AT_ONCE))
    closed = [event for transaction in due if (event := close_orphan(q, now, grace, transaction, new_correlation_id()))]
    return Result(len(closed), tuple(closed))


def has_orphans(q: Queries, now: datetime, grace: timedelta, connected_since: Mapping[int, datetime]) -> bool:
    """Whether `close_orphans` has anything to close."""
    return next(_orphans(q, now - grace, connected_since), None) is not None


def _orphans(q: Queries, latest: datetime, connected_since: Mapping[int, datetime]) -> Iterator[Transaction]:
    for transaction in q.list_suspected(began_until=latest):
        if is_due(transaction.charge_point_key, latest, connected_since) and not is_to_be_asked(q, transaction):
            yield transaction


def is_due(charge_point_key: int, latest: datetime, connected_since: Mapping[int, datetime]) -> bool:
    """Whether a charge point has been connected for a whole grace period, if that began at `latest`."""
    since = connected_since.get(charge_point_key)
    return since is not None and since <= latest


def is_to_be_asked(q: Queries, transaction: Transaction) -> bool:
    """Whether its charge point has to say first whether a suspected transaction still runs.

    It can where it knows the transaction by an id of its own, unless it came back with a version that has none.
    """
    if transaction.ocpp_transaction_id is None or transaction.stopped_at is not None:
        return False
    return bool(q.has_evses(key=transaction.charge_point_key))


def close_orphan(
    q: Queries, now: datetime, grace: timedelta, transaction: Transaction, correlation_id: str
) -> TransactionRecovered | None:
    """Close a suspected transaction by the best evidence, or a recovered one by better."""
    record = q.get_transaction(transaction_id=transaction.id)
    assert record is not None, "its charge point and connector exist by their foreign keys"
    occasion = Occasion(
        transaction.charge_point_key, record.charge_point_id, correlation_id, now, lambda: correlation_id
    )
    connector = q.find_connector(key=transaction.connector_key)
    if transaction.suspicion is None:
        evidence = _late_evidence(q, transaction)
    else:
        facts: dict[str, Fact] = {
            "suspicion_at": transaction.suspicion_at,
            "connector_status": connector.status if connector else None,
            "connector_status_at": connector.status_at if connector else None,
            "grace_seconds": int(grace.total_seconds()),
            "closed_at": now,
        }
        evidence = last_evidence(q, transaction, Cause(transaction.suspicion), facts)
    if evidence is None:
        q.trust_transaction(id=transaction.id)
        return None
    historic = connector is not None and is_past_start(connector, transaction.started_at, transaction.start_received_at)
    return close_by_evidence(q, occasion, transaction, evidence, historic=historic)


def _late_evidence(q: Queries, recovered: Transaction) -> Evidence | None:
    """Better evidence for a recovered transaction, from values that came late; None where they say nothing new."""
    if recovered.evidence is None or recovered.energy_wh is None:
        return None
    account = account_of(q, recovered)
    bill = bill_of_values(account, recovered.meter_start)
    if bill.claim is None:
        return None
    measured_at = bill.claim.newest_at
    known: dict[str, Fact] = json.loads(recovered.evidence)
    cause, source = Cause(str(known.pop("cause"))), known.pop("source")
    if source == EvidenceSource.UNMATCHED_STOP:
        return None
    # A charger that goes on naming it with the register at rest proves nothing.
    if source == EvidenceSource.METER_VALUE and bill.energy_wh <= recovered.energy_wh:
        return None
    newest = q.find_on_connector_at(connector_key=recovered.connector_key, at=measured_at)
    if newest is None or newest.id != recovered.id:
        return None
    register = register_of(account, bill.energy_wh)
    return Evidence(cause, EvidenceSource.METER_VALUE, register, measured_at, bill, known)


def _suspect(
    q: Queries, occasion: Occasion, transaction: Transaction, suspicion: Suspicion, suspicion_at: datetime
) -> None:
    """The newest reason counts; what is suspected already waits no longer for it."""
    began_at = transaction.grace_began_at
    q.suspect_transaction(
        id=transaction.id,
        suspicion=suspicion,
        suspicion_at=suspicion_at,
        grace_began_at=occasion.at if began_at is None else min(began_at, occasion.at),
    )


def _speaks_for_its_transaction(connector: Connector | None, since: datetime) -> bool:
    """Whether a connector has reported since then that it's in its transaction, whenever that began."""
    if connector is None or not is_in_transaction(connector.status) or connector.status_received_at is None:
        return False
    return connector.status_received_at >= since


def _has_grown(q: Queries, transaction: Transaction, since: datetime, samples: Sequence[Sample], at: datetime) -> bool:
    """Whether the register rises from one reading since then to another: the first may just be later than the last."""
    account = account_of(q, transaction)
    known = account.claim()
    if known is None or known.newest_at <= since:
        return False
    for measured_at, kind, value, _ in samples:
        if kind.energy is not None:
            account.take(kind.energy, value, measured_at, at, Origin.NAMED)
    return (account.energy_wh or 0) > known.energy_wh
