"""What becomes of sessions, however a real charger tells of them."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.integration.field_notes.charger import RawCharger, entry, minute, sampled, spelled
from tests.integration.field_notes.site import Central, central_system, until

DAYS: Final = 24 * 60
REASONS: Final = {"negative_energy", "sentinel", "more_than_possible", "no_reading"}
INTERVAL: Final = "Energy.Active.Import.Interval"


async def bill(central: Central, transaction_id: int) -> tuple[int | None, bool]:
    """What counts of a transaction: its energy, and whether that can't be believed."""
    transaction = await central.transaction(transaction_id)
    assert transaction["stopped_at"] is not None
    return transaction["energy_wh"], transaction["energy_implausible"]


async def close(central: Central, transaction_id: int) -> dict[str, Any]:
    """Close a transaction in the books; what is shown of it then."""
    response = await central.http.post(f"/api/v1/transactions/{transaction_id}/close")
    assert response.status_code == 200, response.text
    return await central.transaction(transaction_id)


async def say_registers(charger: RawCharger, transaction_id: int, *registers: str, **others: str) -> None:
    """One reading every ten minutes, each in a message of its own."""
    for number, register in enumerate(registers, 1):
        await charger.meter([entry(minute(10 * number), sampled(register, **others))], transactionId=transaction_id)


@pytest.mark.parametrize("transaction_id", [-1, 0, 4711, 2**31 - 1, None])
async def test_a_stop_without_a_usable_id(central: Central, charger: RawCharger, transaction_id: int | None) -> None:
    """steve#156, #292; libocpp#495"""
    started = await charger.start()
    await charger.meter([entry(minute(55), sampled("7500"))], transactionId=started)
    await charger.stop(transaction_id, idTag="TAG")

    assert await bill(central, started) == (7000, False)
    assert await central.unmatched() == []


async def test_a_stop_without_a_usable_id_where_two_fit(central: Central, charger: RawCharger) -> None:
    """steve#156, #292; libocpp#495"""
    first, second = await charger.start(), await charger.start(minute(1), connector=2)
    await charger.stop(-1, idTag="TAG")

    assert [(await central.transaction(number))["stopped_at"] for number in (first, second)] == [None, None]
    assert [item["kind"] for item in await central.unmatched()] == ["stop"]


@pytest.mark.parametrize(
    "unfit",
    [
        {"meter": 700_000},
        {"meter": 999},
        {"at": minute(-10)},
        {"idTag": "ANOTHER"},
        {"meter": 2**32 - 1},
    ],
    ids=["a hundredfold", "a lower register", "an earlier time", "another tag", "a sentinel"],
)
async def test_a_stop_without_a_usable_id_where_none_fits(
    central: Central, charger: RawCharger, unfit: dict[str, JsonValue]
) -> None:
    """steve#156, #292; libocpp#495: a stray stop is nobody's."""
    started = await charger.start()
    stop: dict[str, Any] = {"idTag": "TAG", **unfit}
    await charger.stop(-1, **stop)

    assert (await central.transaction(started))["stopped_at"] is None
    assert [item["kind"] for item in await central.unmatched()] == ["stop"]
    await charger.stop(started)
    assert await bill(central, started) == (7000, False)


async def test_a_stop_without_a_usable_id_that_is_anothers(central: Central, charger: RawCharger) -> None:
    """steve#156, #292; libocpp#495: another charger's id says nothing; the running one that fits is ended."""
    async with central.dial("CP-2") as other:
        others = await other.start()
        started = await charger.start()
        await charger.stop(others, idTag="TAG")

    assert (await central.transaction(others))["stopped_at"] is None
    assert await bill(central, started) == (7000, False)


async def test_a_repeat_with_a_new_message_id(central: Central, charger: RawCharger) -> None:
    """steve#1293, #1294; MicroOcpp#237"""
    ids = {await charger.start() for _ in range(3)}
    assert ids == {1}
    for _ in range(3):
        await charger.stop(1)

    assert [item["transaction_id"] for item in await central.items("transactions")] == [1]
    assert await bill(central, 1) == (7000, False)
    assert await central.unmatched() == []
    assert await charger.start() == 2  # it has had its stop: a clock that stands still has begun another


@pytest.mark.parametrize("knows_ids", [True, False])
async def test_a_queue_delivered_late(central: Central, charger: RawCharger, knows_ids: bool) -> None:
    """libocpp PR#298: all at once, and at its own time in the books."""
    expected = []
    for hour in range(3):
        at, meter = 60 * hour - 6 * 60, 1000 + 5000 * hour
        started = await charger.start(minute(at), meter=meter)
        claimed = started if knows_ids else -1
        await charger.meter([entry(minute(at + 10), sampled(str(meter + 900)))], transactionId=claimed)
        await charger.stop(claimed, minute(at + 30), meter=meter + 3000, idTag="TAG")
        expected.append((minute(at), minute(at + 30), 3000, [str(meter + 900)]))

    booked = [
        (item["started_at"], item["stopped_at"], item["energy_wh"], await central.values(item["transaction_id"]))
        for item in reversed(await central.items("transactions"))
    ]
    assert booked == expected
    assert await central.unmatched() == []


@pytest.mark.parametrize("meter_stop", [999, 0, -1])
async def test_a_register_that_ran_backwards(central: Central, charger: RawCharger, meter_stop: int) -> None:
    """ocpp-go PR#114, steve PR#1961"""
    started = await charger.start()
    await charger.stop(started, meter=meter_stop)

    transaction = await central.transaction(started)
    assert (transaction["stopped_at"], transaction["meter_stop"]) == (minute(60), meter_stop)
    assert (transaction["energy_implausible"], transaction["reason"] in REASONS) == (True, True)
    assert await central.metric("mcpp_charge_point_energy_watt_hours_total", charge_point="CP-1") == 0


@pytest.mark.parametrize("sign", ["next start", "boot", "Available"])
async def test_a_stale_open_transaction(tmp_path: Path, sign: str) -> None:
    """steve#1478, MicroOcpp#44, OCPP.Core#55"""
    async with central_system(tmp_path, concurrent_tx="deny", recovery_grace="0") as central:
        async with central.dial() as charger:
            await charger.boot()
            stale = await charger.start()
            await say_registers(charger, stale, "2000", "3000")
        async with central.dial() as charger, central.dial("CP-2") as elsewhere:
            start: JsonValue = {"connectorId": 1, "idTag": "TAG", "meterStart": 3000, "timestamp": minute(70)}
            if sign == "boot":
                await charger.boot()
            elif sign == "Available":
                await charger.status("Available", minute(60))
            began = await (charger if sign == "next start" else elsewhere).say("StartTransaction", start)
            assert began["idTagInfo"]["status"] == "Accepted"

            async def recovered() -> bool:
                origin: str | None = (await central.transaction(stale))["stop_origin"]
                return origin == "recovered"

            assert await until(recovered)
            assert await bill(central, stale) == (2000, False)


async def test_meter_values_without_their_transaction(central: Central, charger: RawCharger) -> None:
    """citrineos-core PR#1025, mobilityhouse/ocpp#478, #617; lbbrhzn/ocpp#511, PR#2075"""
    first = await charger.start()
    await charger.meter([entry(minute(5), sampled("1500"))])
    await charger.meter([entry(minute(6), sampled("1600"))], transactionId=0)
    await charger.meter([entry(minute(7), sampled("1700"))], transactionId=None)
    await charger.stop(first)
    await charger.meter([entry(minute(8), sampled("1800"))])
    await charger.meter([entry(minute(65), sampled("8000"))])
    second = await charger.start(minute(70), meter=8000)
    await charger.meter([entry(minute(75), sampled("8500"))], transactionId=first)
    await charger.meter([entry(minute(9), sampled("1900"))], transactionId=first)

    assert await central.values(first) == ["1500", "1600", "1700", "1800", "1900"]
    assert await central.values(second) == ["8500"]
    assert central.idle_values() == ["8000"]
    assert await central.unmatched() == []


async def test_ids_are_positive_and_never_reused(central: Central) -> None:
    """woopstar/hsem#906, steve#1296"""
    async with central.dial() as charger:
        for number in (1, 2):
            assert await charger.start(minute(10 * number)) == number
            await charger.stop(number, minute(10 * number + 5), meter=1100)
    response = await central.http.delete("/api/v1/charge-points/CP-1?purge=true")
    assert response.status_code == 204, response.text
    async with central.dial() as charger:
        assert await charger.start() == 3


@pytest.mark.parametrize("phase", ["L1", "N", "L1-N"])
async def test_registers_by_phase_and_intervals_one_phase(central: Central, charger: RawCharger, phase: str) -> None:
    """evcc#19351, #27206"""
    started = await charger.start()
    await say_registers(charger, started, "1500", "7500", phase=phase)

    assert (await central.transaction(started))["energy_wh"] == 6500
    assert (await close(central, started))["energy_wh"] == 6500


async def test_registers_by_phase_and_intervals_three_phases(central: Central, charger: RawCharger) -> None:
    """evcc#19351, #27206: summed, the register at the start is the sum as well."""
    started = await charger.start(meter=3000)
    for at, registers in ((10, ("1100", "1200", "1300")), (20, ("2000", "2500", "3500"))):
        values = [sampled(register, phase=f"L{number}") for number, register in enumerate(registers, 1)]
        await charger.meter([entry(minute(at), *values)], transactionId=started)

    assert (await central.transaction(started))["energy_wh"] == 5000
    assert (await close(central, started))["energy_wh"] == 5000


async def test_registers_by_phase_and_intervals_only(central: Central, charger: RawCharger) -> None:
    """citrineos-core PR#395"""
    started = await charger.start()
    await say_registers(charger, started, "500", "250", "1.5", measurand=INTERVAL)
    await charger.meter([entry(minute(40), sampled("1", INTERVAL, unit="kWh"))], transactionId=started)

    assert (await central.transaction(started))["energy_wh"] in {1751, 1752}
    assert (await close(central, started))["energy_wh"] in {1751, 1752}


@pytest.mark.parametrize(
    ("registers", "energy"),
    [
        (("1500", "5000", "0", "7000"), 6000),
        (("1500", "7000", "0"), 6000),
        (("1500", "7000", "6900"), 6000),
        (("1500", "0", "7000"), 6000),
    ],
    ids=["to 0 for a moment", "to 0 at the end", "a little at the end", "to 0 early"],
)
async def test_a_register_that_falls(
    central: Central, charger: RawCharger, registers: tuple[str, ...], energy: int
) -> None:
    """lbbrhzn/ocpp#1756; steve PR#2063"""
    started = await charger.start()
    await say_registers(charger, started, *registers)

    assert (await central.transaction(started))["energy_wh"] == energy
    closed = await close(central, started)
    assert (closed["energy_wh"], closed["energy_implausible"]) == (energy, False)
    assert await central.metric("mcpp_charge_point_energy_watt_hours_total", charge_point="CP-1") == energy


async def test_a_register_that_falls_in_the_stop(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#1756; steve PR#2063"""
    started = await charger.start()
    await say_registers(charger, started, "1500", "7000")
    await charger.stop(started, meter=0)

    transaction = await central.transaction(started)
    assert (transaction["energy_wh"], transaction["energy_implausible"]) == (6000, False)
    assert transaction["meter_stop"] == 0
    assert transaction["evidence"]


async def test_lifetime_and_session_registers_mixed(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#2093"""
    stopped = await charger.start(meter=100_000)
    await say_registers(charger, stopped, "0", "2000", "6500")
    assert (await central.transaction(stopped))["energy_wh"] == 6500
    await charger.stop(stopped, meter=107_000)
    left_open = await charger.start(minute(70), meter=107_000)
    await charger.meter([entry(minute(75), sampled("0"))], transactionId=left_open)
    await charger.meter([entry(minute(80), sampled("1200"))], transactionId=left_open)

    assert await bill(central, stopped) == (7000, False)
    assert (await central.transaction(left_open))["energy_wh"] == 1200
    closed = await close(central, left_open)
    assert (closed["energy_wh"], closed["energy_implausible"]) == (1200, False)


@pytest.mark.parametrize(
    ("meter_stop", "reasons"),
    [
        (2**32 - 1, {"sentinel"}),
        (2**31 - 1, {"sentinel"}),
        (1000 + 5_000_000, {"more_than_possible"}),
        (65535, None),
    ],
)
async def test_sentinels_and_impossible_energy(
    central: Central, charger: RawCharger, meter_stop: int, reasons: set[str] | None
) -> None:
    """evcc PR#32174: 65535 Wh are many in an hour, but can be."""
    good = await charger.start(minute(-60), meter=0)
    await charger.stop(good, minute(-5), meter=1000)
    odd = await charger.start()
    await charger.stop(odd, meter=meter_stop)

    transaction = await central.transaction(odd)
    assert transaction["meter_stop"] == meter_stop
    energy = 1000
    if reasons is None:
        assert (transaction["energy_wh"], transaction["energy_implausible"]) == (64535, False)
        energy += 64535
    else:
        assert (transaction["energy_implausible"], transaction["reason"]) == (True, *reasons)
    assert await central.metric("mcpp_charge_point_energy_watt_hours_total", charge_point="CP-1") == energy
    assert await reported_energy(central) == energy


@pytest.mark.parametrize(("value", "unit"), [("65535", "kWh"), ("4294967295", "Wh"), ("4294967.295", "kWh")])
async def test_sentinels_and_impossible_energy_in_meter_values(
    central: Central, charger: RawCharger, value: str, unit: str
) -> None:
    """evcc PR#32174: no such reading is the energy, live or later."""
    started = await charger.start()
    await say_registers(charger, started, "1500", "3000")
    await charger.meter([entry(minute(30), sampled(value, unit=unit))], transactionId=started)

    assert (await central.transaction(started))["energy_wh"] == 2000
    closed = await close(central, started)
    assert closed["energy_wh"] == 2000 or closed["energy_implausible"]
    assert value in await central.values(started)
    assert await central.metric("mcpp_charge_point_energy_watt_hours_total", charge_point="CP-1") <= 2000


async def reported_energy(central: Central) -> int:
    """The energy of all days by `mcpp report`, in Wh."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcpp", "report", "--database", str(central.database)),
        *("--by", "charger", "--period", "year", "--timezone", "UTC", "--format", "json"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return sum(row["energy_wh"] for row in json.loads(out))


async def test_months_of_history_on_reconnect(tmp_path: Path) -> None:
    """r/ocpp 1h0r6zt"""
    async with central_system(tmp_path, auto_start="on") as central:
        async with central.dial(answers={"RemoteStartTransaction": {"status": "Accepted"}}) as charger:
            await charger.boot()
            await charger.status("Available", minute(-1), connector=2)
            running = await charger.start()
            await charger.status("Charging", minute(0))
            await charger.meter([entry(minute(1), sampled("1100"))], transactionId=running)
            for days in (90, 60, 30):
                at = -days * DAYS
                await charger.status("Preparing", minute(at))
                old = await charger.start(minute(at + 1), meter=100)
                await charger.status("Charging", minute(at + 1))
                await charger.meter([entry(minute(at + 10), sampled("300"))], transactionId=old)
                await charger.stop(old, minute(at + 20), meter=600)
                await charger.status("Finishing", minute(at + 20))
                await charger.status("Available", minute(at + 21))
                assert await bill(central, old) == (500, False)

            now = await central.connector()
            assert (now["status"], now["status_at"], now["transaction_id"]) == ("Charging", minute(0), running)
            assert (await central.transaction(running))["stopped_at"] is None
            assert await central.values(running) == ["1100"]
            await charger.status("Preparing", minute(2), connector=2)
            assert [start["connectorId"] for start in await charger.asked_for("RemoteStartTransaction")] == [2]
        assert len(await central.items("transactions")) == 4


@pytest.mark.parametrize("claimed", [-1, None, 0, 4711])
async def test_a_reserved_card_without_its_reservation(
    central: Central, charger: RawCharger, claimed: int | None
) -> None:
    """MicroOcpp#154, #163"""
    charger.answers["ReserveNow"] = {"status": "Accepted"}
    await charger.boot()
    await central.accepted("ReserveNow", {"connectorId": 1, "expiryDate": "2100-01-01T00:00:00Z", "idTag": "TAG"})
    others: dict[str, Any] = {} if claimed is None else {"reservationId": claimed}
    started = await charger.start(spelled(datetime.now(UTC)), **others)

    (reservation,) = await central.items("reservations")
    assert (reservation["status"], reservation["transaction_id"]) == ("Used", started)


async def test_a_transaction_of_another_central_system(central: Central, charger: RawCharger) -> None:
    """evcc#10044"""
    await charger.status("Charging", minute(0))
    values = (sampled("2500"), sampled("7200", "Power.Active.Import", unit="W"))
    await charger.meter([entry(minute(5), *values)], transactionId=4711)

    assert await central.metric("mcpp_connector_power_watts", charge_point="CP-1", connector="1") == 7200
    assert (await central.connector())["power_w"] == 7200
    assert [(item["kind"], item["claimed_transaction_id"]) for item in await central.unmatched()] == [
        ("meter_values", 4711)
    ]
    await charger.stop(4711)
    assert {item["kind"] for item in await central.unmatched()} == {"meter_values", "stop"}
    assert await central.items("transactions") == []


@pytest.mark.parametrize("registration", ["open", "closed"])
async def test_an_identity_in_another_letter_case(tmp_path: Path, registration: str) -> None:
    """steve PR#1934"""
    async with central_system(tmp_path, registration=registration) as central:
        await central.put("charge-points/Garage-1", {"display_name": "The garage"})
        told = ""
        try:
            async with connect(f"{central.ocpp_url}/garage-1", subprotocols=["ocpp1.6"], proxy=None):  # type: ignore[list-item]  # a NewType
                assert registration == "open"
        except InvalidStatus as refusal:
            assert refusal.response.status_code == 404
            told = (refusal.response.body or b"").decode()

        def says_so(line: dict[str, Any]) -> bool:
            return line.get("charge_point_id") == "garage-1" and "Garage-1" in json.dumps(line)

        assert "Garage-1" in told or await central.logged(says_so)


async def test_id_tags_with_a_serial_number_appended(tmp_path: Path) -> None:
    """OCPP.Core docs"""
    settings = {"authorization": "known", "concurrent_tx": "deny", "id_tag_separator": "_"}
    async with central_system(tmp_path, **settings) as central:
        await central.put("id-tags/04AB", {"status": "Accepted"})
        await central.put("id-tags/WITH_LINE", {"status": "Blocked"})
        async with central.dial() as charger, central.dial("CP-2") as other:

            async def verdict(tag: str) -> str:
                status: str = (await charger.say("Authorize", {"idTag": tag}))["idTagInfo"]["status"]
                return status

            assert await verdict("04ab_1716230") == "Accepted"
            assert await verdict("04AB") == "Accepted"
            assert await verdict("WITH_LINE") == "Blocked"
            assert await verdict("05CD_1716230") == "Invalid"
            assert await verdict("_1716230") == "Invalid"
            started = await charger.start(tag="04AB_1716230")
            elsewhere: JsonValue = {"connectorId": 1, "idTag": "04AB_99", "meterStart": 0, "timestamp": minute(1)}
            assert (await other.say("StartTransaction", elsewhere))["idTagInfo"]["status"] == "ConcurrentTx"
            await charger.stop(-1, idTag="04ab_1716230")

    async with central_system(tmp_path) as central:
        transaction = await central.transaction(started)
        assert (transaction["id_tag"], transaction["energy_wh"]) == ("04AB_1716230", 7000)
