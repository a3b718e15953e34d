"""A transaction that may be over is asked for before it's closed (OCPP 2.0.1 part 2, E14)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.ocpp2.station import CARD, EVSE, Station, reading, station, wh


async def doubted(central: Central, cp: Station) -> dict[str, Any]:
    """A session whose end was lost, as the connector says."""
    begin = reading(minute(0), wh(1000, "Transaction.Begin"))
    await cp.event("Started", evse=EVSE, token=CARD, state="Charging", values=begin)
    await cp.event("Updated", minute(30), values=reading(minute(30), wh(4000)))
    await cp.status("Available", minute(40))
    (transaction,) = await central.items("transactions")
    return transaction


@pytest.mark.parametrize(
    ("answer", "is_closed"),
    [
        ({"ongoingIndicator": False, "messagesInQueue": False}, True),
        (None, True),  # NotImplemented
        ({"ongoingIndicator": True, "messagesInQueue": False}, False),
        ({"ongoingIndicator": False, "messagesInQueue": True}, False),
    ],
    ids=str,
)
async def test_the_station_is_asked_first(tmp_path: Path, answer: JsonValue, is_closed: bool) -> None:
    answers = {} if answer is None else {"GetTransactionStatus": answer}
    async with (
        central_system(tmp_path, recovery_grace="0") as central,
        station(central.ocpp_url, "2.0.1", answers=answers) as cp,
    ):
        await cp.boot()
        known = await doubted(central, cp)
        assert await cp.asked_for("GetTransactionStatus") == [{"transactionId": "tx-1"}]
        if is_closed:

            async def closed() -> dict[str, Any] | None:
                (found,) = await central.items("transactions")
                return found if found["stopped_at"] is not None else None

            found = await until(closed)
            assert found is not None
            assert (found["stop_origin"], found["energy_wh"]) == ("recovered", 3000)
        # Its own word counts, however late it comes.
        await cp.event("Ended", minute(35), values=reading(minute(35), wh(4500, "Transaction.End")))
        (found,) = await central.items("transactions")
        assert (found["transaction_id"], found["stop_origin"]) == (known["transaction_id"], "charger")
        assert (found["energy_wh"], found["stopped_at"]) == (3500, minute(35))


async def test_one_that_runs_is_trusted_and_not_asked_for_again(tmp_path: Path) -> None:
    answers: dict[str, Any] = {"GetTransactionStatus": {"ongoingIndicator": True, "messagesInQueue": False}}
    async with (
        central_system(tmp_path, recovery_grace="0") as central,
        station(central.ocpp_url, "2.1", answers=answers) as cp,
    ):
        await cp.boot()
        known = await doubted(central, cp)
        await cp.asked_for("GetTransactionStatus")

        async def trusted() -> bool:
            row = await central.core.services.writer.submit_keeping(
                lambda q: q.find_transaction(id=known["transaction_id"])
            )
            return row is not None and row.suspicion is None

        await until(trusted)
        assert (await central.transaction(known["transaction_id"]))["stopped_at"] is None
