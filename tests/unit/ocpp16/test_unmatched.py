"""What was kept aside is read again as it was understood when it came in."""

from __future__ import annotations

from datetime import UTC, datetime

from mcpp.domain import assignment
from mcpp.domain.events import TransactionStopped
from mcpp.domain.occasion import OperatorOccasion
from mcpp.server.versions import read_unmatched
from mcpp_generated.db.models import ListTransactionSamplesRow, UnmatchedRecord
from mcpp_generated.db.queries import Queries
from tests.unit.ocpp16.central import NOW, Central

AT = "2026-04-01T09:{:02}:00Z".format
PAST = datetime(1, 1, 1, tzinfo=UTC)
OPERATOR = OperatorOccasion("0" * 31 + "1", NOW)
LONG_TAG = "0123456789ABCDEF_SERIAL"
"""Longer than OCPP 1.6 allows, kept whole."""


async def start(central: Central, connector: int, tag: str) -> int:
    request = {"connectorId": connector, "idTag": tag, "meterStart": 1000, "timestamp": AT(0)}
    answer = await central.say("StartTransaction", request)
    transaction_id: int = answer["transactionId"]
    return transaction_id


async def kept(central: Central) -> UnmatchedRecord:
    (record,) = await central.writer.submit(lambda q: q.list_unmatched(before_id=2**63 - 1, page_size=9))
    return record


async def stored(central: Central, transaction_id: int) -> list[ListTransactionSamplesRow]:
    def read(q: Queries) -> list[ListTransactionSamplesRow]:
        return q.list_transaction_samples(
            transaction_id=transaction_id, measured_at=PAST, position=-1, kind_id=0, value="", page_size=9
        )

    return await central.writer.submit(read)


async def test_a_stop_that_broke_the_contract_closes_its_transaction(central: Central) -> None:
    mine = await start(central, 1, LONG_TAG)
    await start(central, 2, LONG_TAG)
    value = {"value": 1.7, "unit": "kWh"}
    stop = {
        "transactionId": -1,
        "idTag": LONG_TAG,
        "meterStop": "1900",
        "timestamp": AT(20),
        "transactionData": [{"timestamp": AT(10), "sampledValue": [value]}],
    }
    await central.say("StopTransaction", stop)
    record = await kept(central)
    outcome = await central.writer.submit(assignment.assign, OPERATOR, record.id, mine, read_unmatched)

    (event,) = outcome.events
    assert isinstance(event, TransactionStopped)
    assert (event.meter_stop, event.reason) == (1900, "Local")
    transaction = await central.writer.submit(lambda q: q.find_transaction(id=mine))
    assert transaction is not None
    assert (transaction.stop_id_tag, transaction.meter_stop) == (LONG_TAG, 1900)
    assert [(sample.value, sample.unit) for sample in await stored(central, mine)] == [("1.7", "kWh")]


async def test_meter_values_are_filed(central: Central) -> None:
    mine = await start(central, 1, "TAG")
    meter_value = {
        "timestamp": AT(10),
        "sampledValue": [{"value": "1500"}, {"value": "230.10", "measurand": "Voltage"}],
    }
    await central.say("MeterValues", {"connectorId": 2, "transactionId": 4711, "meterValue": [meter_value]})
    record = await kept(central)
    outcome = await central.writer.submit(assignment.assign, OPERATOR, record.id, mine, read_unmatched)

    assert outcome.events == ()
    _, voltage = await stored(central, mine)
    assert (voltage.value, voltage.measurand, voltage.context) == ("230.10", "Voltage", "Sample.Periodic")
