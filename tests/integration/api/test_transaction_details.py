"""One transaction of a charger that reports by events: its state, and which of its events never came."""

from __future__ import annotations

from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.evse_states import ChargingState
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion
from mcpp.domain.transaction_events import EventKind, TransactionEvent, record_event
from tests.integration.api.support import Site, minute


async def test_gaps_and_the_charging_state_are_shown(api: Site) -> None:
    key = api.books.charge_point("CP-1")
    transaction_id = 0
    for kind, seq_no in [(EventKind.STARTED, 0), (EventKind.UPDATED, 3)]:
        event = TransactionEvent(
            kind=kind,
            ocpp_transaction_id="tx-1",
            happened_at=minute(seq_no),
            seq_no=seq_no,
            trigger_reason="CablePluggedIn",
            evse_id=1,
            id_tag="TAG",
            id_tag_type="ISO14443",
            charging_state=ChargingState.CHARGING,
            remote_start_id=7,
        )
        occasion = Occasion(key, "CP-1", "c" * 32, minute(seq_no), lambda: "d" * 32)
        recorded = record_event(api.books.q, occasion, event, AuthorizationPolicy(), Memory())
        transaction_id = recorded.value.transaction_id
    shown = (await api.get(f"/api/v1/transactions/{transaction_id}")).json()

    assert shown["ocpp_transaction_id"] == "tx-1"
    assert (shown["charging_state"], shown["remote_start_id"], shown["id_token_type"]) == ("Charging", 7, "ISO14443")
    assert shown["gaps"] == [{"first": 1, "last": 2}]
