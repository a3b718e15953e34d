"""What never came of a session's events, where its charger counts them (since OCPP 2.0)."""

from __future__ import annotations

from mcpp.domain.event_gaps import Gap, gaps_of
from mcpp.reads.transactions import Transaction
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import StopOrigin


async def read_gaps(pool: ReaderPool, transaction: Transaction) -> tuple[Gap, ...]:
    """The numbers that are missing; none where nothing is, or its version doesn't count."""
    if transaction.ocpp_transaction_id is None:
        return ()
    async with pool.reader() as q:
        events = await q.list_transaction_events(transaction_id=transaction.transaction_id)
    return gaps_of(events, is_over=transaction.stop_origin in {StopOrigin.RECOVERED, StopOrigin.OPERATOR})
