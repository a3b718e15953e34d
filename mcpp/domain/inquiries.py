"""Suspected transactions that their charge point can be asked about, before recovery closes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, NamedTuple

from mcpp.domain.occasion import Result
from mcpp.domain.recovery import close_orphan, is_due
from mcpp_generated.db.queries import Queries

_ASKED_AT_ONCE: Final = 50


class Inquiry(NamedTuple):
    """A transaction to ask about (OCPP 2.0.1 E14, GetTransactionStatus)."""

    charge_point_id: str
    transaction_id: int
    ocpp_transaction_id: str


class TransactionAnswer(Enum):
    """What a charge point says of a transaction."""

    ONGOING = auto()
    MESSAGES_QUEUED = auto()
    """It's over, or the charge point doesn't say; messages of it wait in its queue."""
    OVER = auto()
    """Neither ongoing nor with messages in the queue."""
    UNKNOWN = auto()
    """It has refused to answer."""


def answer_of(*, ongoing: bool | None, messages_in_queue: bool) -> TransactionAnswer:
    """What the two fields of the answer say together; `ongoing` is None where it was left out."""
    if ongoing:
        return TransactionAnswer.ONGOING
    return TransactionAnswer.MESSAGES_QUEUED if messages_in_queue else TransactionAnswer.OVER


def transactions_to_ask(
    q: Queries, now: datetime, grace: timedelta, connected_since: Mapping[int, datetime]
) -> list[Inquiry]:
    """The transactions whose grace period is over and whose charge points are connected, those first that wait longest.

    Of charge points that speak a version in which they can be asked; the others are `recovery.close_orphans`'.
    """
    latest = now - grace
    return [
        Inquiry(row.identity, row.id, row.ocpp_transaction_id)
        for row in q.list_doubted_told(began_until=latest)
        if row.ocpp_transaction_id is not None and is_due(row.charge_point_key, latest, connected_since)
    ][:_ASKED_AT_ONCE]


def take_answer(
    q: Queries,
    now: datetime,
    grace: timedelta,
    inquiry: Inquiry,
    answer: TransactionAnswer,
    new_correlation_id: Callable[[], str],
) -> Result[None]:
    """Trust, wait for or close a transaction by what its charge point says of it.

    What was decided otherwise meanwhile stays. A charge point that doesn't answer at all (no connection, no reply) is
    asked again later: call nothing then.
    """
    transaction = q.find_transaction(id=inquiry.transaction_id)
    if transaction is None or transaction.stopped_at is not None or transaction.suspicion is None:
        return Result(None)
    if answer is TransactionAnswer.ONGOING:
        q.trust_transaction(id=transaction.id)
    elif answer is TransactionAnswer.MESSAGES_QUEUED:
        q.restart_grace(id=transaction.id, grace_began_at=now)
    else:
        event = close_orphan(q, now, grace, transaction, new_correlation_id())
        return Result(None, () if event is None else (event,))
    return Result(None)
