"""How real chargers connect."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Opcode
from websockets.typing import Subprotocol

from tests.integration.field_notes.charger import PATIENCE, RawCharger, minute
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.transport.support import RawSocket

FLEET = 1000


async def raw_socket(central: Central) -> RawSocket:
    return RawSocket(*await asyncio.open_connection("127.0.0.1", central.ocpp_port))


async def test_a_half_open_socket(central: Central) -> None:
    """lorenzodonini/ocpp-go#314, #358; dallmann-consulting/OCPP.Core#83"""
    older = await raw_socket(central)
    await older.request("/ocpp/CP-1")
    async with central.dial() as newer:
        newer.answers["ClearCache"] = {"status": "Accepted"}

        assert await central.accepted("ClearCache", {}) == {"status": "Accepted"}
        assert await newer.start() == 1
        await older.close()
        await central.logged(lambda line: line.get("outcome") == "replaced")
        assert (await central.get("charge-points/CP-1"))["connected"] is True
        assert await central.accepted("ClearCache", {}) == {"status": "Accepted"}
    assert await central.metric("mcpp_connections_total", outcome="replaced") == 1


async def test_no_subprotocol_offered(central: Central) -> None:
    """lbbrhzn/ocpp#442, steve#1109"""
    async with central.dial(subprotocols=()) as charger:
        await charger.boot()

        assert charger.socket.subprotocol is None
        assert (await central.get("charge-points/CP-1"))["ocpp_version"] == "1.6"
        assert await central.metric("mcpp_connections_total", outcome="accepted_without_subprotocol") == 1


async def test_several_subprotocols_or_a_probe(central: Central) -> None:
    """lbbrhzn/ocpp#2008"""
    async with central.dial() as probe:
        assert probe.socket.subprotocol == "ocpp1.6"
    async with central.dial(subprotocols=("ocpp9.9", "ocpp1.6")) as charger:
        assert charger.socket.subprotocol == "ocpp1.6"
        await charger.boot()

        point = await central.get("charge-points/CP-1")
        assert (point["connected"], point["ocpp_version"]) == (True, "1.6")
    assert await central.metric("mcpp_charge_points_connected") <= 1


@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("ocpp/CP-1", "CP-1"),
        ("//ocpp//CP-1//", "CP-1"),
        ("/ocpp/a/b/CP-1", "CP-1"),
        ("/ocpp/Garage%20%231", "Garage #1"),
        ("ws://central.example/ocpp/CP-1", "CP-1"),
    ],
)
async def test_odd_request_targets(central: Central, target: str, identity: str) -> None:
    """steve#451, lbbrhzn/ocpp#1078, OpenEMS#1401"""
    raw = await raw_socket(central)

    assert (await raw.request(target)).startswith("HTTP/1.1 101 ")
    assert [point["id"] for point in await central.items("charge-points", connected="true")] == [identity]
    await raw.close()


async def test_pings_unanswered(tmp_path: Path) -> None:
    """lbbrhzn/ocpp#211, mobilityhouse/ocpp#626"""
    async with central_system(tmp_path, idle_timeout="1") as central:
        raw = await raw_socket(central)
        await raw.request("/ocpp/CP-1")
        pings = 0
        while pings < 4:  # each after a third of the idle timeout without a frame: longer than it together
            opcode, _ = await raw.frame()
            if opcode is Opcode.PING:
                pings += 1
                raw.send_frame(Opcode.TEXT, b'[2,"%d","Heartbeat",{}]' % pings)

        assert (await central.get("charge-points/CP-1"))["connected"] is True
        assert await central.metric("mcpp_connections_total", outcome="idle") == 0
        await raw.close()


async def test_no_redial_after_a_clean_close(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#1975: whatever it sends, it's not for us to hang up."""
    await charger.boot()
    for nonsense in ("", "[]", "null", '[2,"1"]', '[9,"1",{}]', '[3,"nobody asked",{}]', "\x00", "[2," * 2000):
        await charger.send(nonsense)
    await charger.exchange("MakeCoffee", {"cups": 2})
    await charger.boot()

    assert (await charger.say("Heartbeat", {})).keys() == {"currentTime"}
    assert await central.metric("mcpp_connections_total") == 1


async def test_compression_that_was_not_negotiated(central: Central, charger: RawCharger) -> None:
    """dallmann-consulting/OCPP.Core#45"""
    await charger.boot()
    raw = await raw_socket(central)
    await raw.request("/ocpp/CP-2")
    raw.writer.write(b"\xc1\x80\0\0\0\0")  # a text frame with RSV1
    opcode, _ = await raw.frame()

    assert opcode is Opcode.CLOSE
    line = await central.logged(lambda line: line.get("outcome") == "protocol_error")
    assert line["charge_point_id"] == "CP-2"
    assert await central.metric("mcpp_connections_total", outcome="protocol_error") == 1
    await charger.boot()
    await raw.close()


async def test_no_boot_or_calls_before_it(central: Central) -> None:
    """evcc#25069"""
    async with central.dial() as charger:
        await charger.status("Preparing", minute(-1))
        transaction_id = await charger.start()
    async with central.dial() as charger:
        await charger.status("Charging", minute(1))
        await charger.stop(transaction_id)

    assert (await central.transaction(transaction_id))["energy_wh"] == 7000


async def test_the_whole_fleet_at_once(central: Central) -> None:
    """evcc#20113, OCPP.Core#69"""

    async def come_back(number: int) -> str:
        socket = await connect(
            f"{central.ocpp_url}/CP-{number}",
            subprotocols=[Subprotocol("ocpp1.6")],
            ping_interval=None,
            open_timeout=60,
            compression=None,
            proxy=None,
        )
        connections.push_async_callback(socket.close)
        await socket.send('[2,"boot","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]')
        return str(await socket.recv())

    async with AsyncExitStack() as connections, asyncio.timeout(10 * PATIENCE):
        answers = await asyncio.gather(*(come_back(number) for number in range(FLEET)))

        assert all('"status":"Accepted"' in answer for answer in answers)
        assert await central.metric("mcpp_charge_points_connected") == FLEET
        first = await central.items("charge-points", connected="true")
        assert all(point["last_boot_at"] for point in first)

    async def all_gone() -> bool:
        return await central.metric("mcpp_charge_points_connected") == 0

    assert await until(all_gone)
