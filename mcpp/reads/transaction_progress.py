"""What is known of a transaction beside its row, where its charger reports it by events; what is missing of them."""

from __future__ import annotations

from typing import NamedTuple

from mcpp.domain.event_gaps import Gap, gaps_told
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import StopOrigin


class Progress(NamedTuple):
    """Of one transaction; all None or empty where its version has no events (OCPP 1.6)."""

    charging_state: str | None = None
    """The newest that was told."""
    remote_start_id: int | None = None
    """Of the command that asked for it, as the charger says."""
    id_token_type: str | None = None
    """Of the token that is its id tag."""
    gaps: tuple[Gap, ...] = ()
    """Numbers of events that never came."""


async def find_progress(pool: ReaderPool, transaction_id: int, stop_origin: StopOrigin | None) -> Progress:
    """What is known of a transaction; `stop_origin` is its own."""
    async with pool.reader() as q:
        state = await q.get_transaction_state(transaction_id=transaction_id)
        if state is None:
            return Progress()
        events = await q.list_transaction_events(transaction_id=transaction_id)
    gaps = gaps_told(events, stop_origin)
    return Progress(state.charging_state, state.remote_start_id, state.id_tag_type or None, gaps)
