"""Auto-start, seen from outside: from `Preparing` to a stored transaction, with chargers that aren't ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from ocpp.v16 import call, call_result
from ocpp.v16.enums import (
    CancelReservationStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    RemoteStartStopStatus,
    ReservationStatus,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.acceptance.charger import Charger
from tests.acceptance.server import LogLine, Server, running_server

QUICKLY = {
    "MCPP_PLUGIN_AUTO_START_RETRY_DELAY": "0.05",
    "MCPP_PLUGIN_AUTO_START_SETTLE_TIME": "0.05",
}
AUTO_START = ("--auto-start", "on")


def handled(answer: Callable[..., object], afterwards: Callable[..., object] | None = None) -> dict[str, Any]:
    """How the package handles an action: what its decorators would note."""
    route: dict[str, Any] = {"_on_action": answer, "_skip_schema_validation": False}
    return route if afterwards is None else route | {"_after_action": afterwards}


class Wallbox(Charger):
    """A charger that is asked to start, and does as the test says."""

    def __init__(self, identity: str, socket: Any) -> None:
        super().__init__(identity, socket)  # type: ignore[no-untyped-call]  # the package has no types
        self.rejections = 0
        """How many starts it refuses before it accepts."""
        self.starts = True
        """Whether it starts what it accepts."""
        self.asked: list[tuple[int, str]] = []
        self.charging: asyncio.Queue[Any] = asyncio.Queue()
        """The answers to its StartTransactions."""

        self.route_map = {
            "RemoteStartTransaction": handled(self._answer, self._obey),
            "ReserveNow": handled(lambda **_: call_result.ReserveNow(ReservationStatus.accepted)),
            "CancelReservation": handled(lambda **_: call_result.CancelReservation(CancelReservationStatus.accepted)),
        }

    def _answer(self, id_tag: str, connector_id: int) -> call_result.RemoteStartTransaction:
        self.asked.append((connector_id, id_tag))
        accepted = len(self.asked) > self.rejections
        return call_result.RemoteStartTransaction(
            status=RemoteStartStopStatus.accepted if accepted else RemoteStartStopStatus.rejected
        )

    async def _obey(self, id_tag: str, connector_id: int) -> None:
        if self.starts and len(self.asked) > self.rejections:
            await self.begin(id_tag, connector_id)

    async def begin(self, id_tag: str, connector_id: int) -> None:
        """Start a transaction."""
        answer = await self.ask(
            call.StartTransaction(
                connector_id=connector_id, id_tag=id_tag, meter_start=100, timestamp=datetime.now(UTC).isoformat()
            )
        )
        await self.report(ChargePointStatus.charging, connector_id)
        await self.charging.put(answer)

    async def boot(self) -> None:
        await self.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))

    async def report(self, status: ChargePointStatus, connector_id: int = 1, info: str | None = None) -> None:
        await self.ask(
            call.StatusNotification(
                connector_id=connector_id, error_code=ChargePointErrorCode.no_error, status=status, info=info
            )
        )

    async def charged(self) -> Any:
        """The answer to the next StartTransaction."""
        async with asyncio.timeout(30):
            return await self.charging.get()


@asynccontextmanager
async def wallbox(server: Server, identity: str = "CP-1") -> AsyncIterator[Wallbox]:
    """A charger that is connected for the block."""
    socket = await connect(f"{server.ocpp_url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")])
    charger = Wallbox(identity, socket)
    charger.socket = socket
    reader = asyncio.create_task(charger.start())  # type: ignore[no-untyped-call]  # the package has no types
    try:
        yield charger
    finally:
        await socket.close()
        with suppress(ConnectionClosed):
            await reader


def given_up(line: LogLine) -> bool:
    return bool(line["event"] == "auto_start_given_up")


def tries(server: Server) -> list[tuple[int, str]]:
    return [(line["tries"], line["outcome"]) for line in server.lines if line["event"] == "auto_start_tried"]


async def transactions(server: Server) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await server.get("/api/v1/transactions"))["items"]
    return listed


async def put(server: Server, path: str, body: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        (await client.put(path, json=body)).raise_for_status()


async def command(server: Server, action: str, payload: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        response = await client.post(f"/api/v1/charge-points/CP-1/commands/{action}", json=payload)
    assert response.json()["response"] == {"status": "Accepted"}, response.text


async def test_it_charges_with_the_configured_tag_which_is_known_and_never_concurrent(tmp_path: Path) -> None:
    strict = (*AUTO_START, "--auto-start-id-tag", "PLUG", "--authorization", "known", "--concurrent-tx", "deny")
    async with running_server(tmp_path / "mcpp.db", *strict, variables=QUICKLY) as server:
        async with wallbox(server, "CP-1") as first, wallbox(server, "CP-2") as second:
            for charger in (first, second):
                await charger.boot()
                await charger.report(ChargePointStatus.available)
                await charger.report(ChargePointStatus.preparing)
                answer = await charger.charged()
                assert answer.id_tag_info == {"status": "Accepted"}
                assert charger.asked == [(1, "PLUG")]
        stored = await transactions(server)
        tried = await server.wait_for_line(lambda line: line["event"] == "auto_start_tried")

    assert [(t["charge_point_id"], t["connector_id"], t["id_tag"]) for t in stored] == [
        ("CP-2", 1, "PLUG"),
        ("CP-1", 1, "PLUG"),
    ]
    assert tried["session_correlation_id"] == stored[1]["session_correlation_id"]
    assert (tried["charge_point_id"], tried["category"], tried["outcome"]) == ("CP-1", "transaction", "accepted")


async def test_one_that_rejects_twice(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", *AUTO_START, variables=QUICKLY) as server:
        async with wallbox(server) as charger:
            charger.rejections = 2
            await charger.boot()
            await charger.report(ChargePointStatus.preparing)
            await charger.charged()
            assert charger.asked == [(1, "MCPP")] * 3
        assert len(await transactions(server)) == 1
        await server.terminate()

    assert tries(server) == [(1, "rejected"), (2, "rejected"), (3, "accepted")]
    assert not any(map(given_up, server.lines))


async def test_one_that_accepts_and_does_nothing(tmp_path: Path) -> None:
    variables = QUICKLY | {"MCPP_PLUGIN_AUTO_START_START_TIMEOUT": "0.05"}
    async with running_server(tmp_path / "mcpp.db", *AUTO_START, variables=variables) as server:
        async with wallbox(server) as charger:
            charger.starts = False
            await charger.boot()
            await charger.report(ChargePointStatus.preparing)
            line = await server.wait_for_line(given_up)
            assert charger.asked == [(1, "MCPP")] * 3
        assert await transactions(server) == []

    assert (line["level"], line["charge_point_id"], line["connector_id"]) == ("warning", "CP-1", 1)
    assert (line["tries"], line["reason"]) == (3, "accepted, but no transaction began")


async def test_one_that_repeats_preparing_ten_times(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", *AUTO_START, variables=QUICKLY) as server:
        async with wallbox(server) as charger:
            charger.starts = False
            await charger.boot()
            for number in range(10):
                await charger.report(ChargePointStatus.preparing)
                await charger.report(ChargePointStatus.preparing, info=f"repeat {number}")
            await charger.begin("MCPP", 1)
            await charger.charged()
            charger.starts = True
            # The second connector's start comes after all that the repeats might have set off.
            await charger.report(ChargePointStatus.preparing, 2)
            await charger.charged()
            assert charger.asked == [(1, "MCPP"), (2, "MCPP")]
        assert [t["connector_id"] for t in await transactions(server)] == [2, 1]


async def test_one_that_was_preparing_before_the_server_started(tmp_path: Path) -> None:
    """Neither a boot nor a status follows: only the books know."""
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, wallbox(server) as charger:
        await charger.boot()
        await charger.report(ChargePointStatus.preparing)
        await server.kill()

    async with running_server(database, *AUTO_START, variables=QUICKLY) as server, wallbox(server) as charger:
        await charger.charged()
        assert charger.asked == [(1, "MCPP")]
        assert len(await transactions(server)) == 1


async def test_one_that_began_to_prepare_while_the_server_was_down(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database, *AUTO_START, variables=QUICKLY) as server, wallbox(server) as charger:
        await charger.boot()
        await charger.report(ChargePointStatus.available)
        await server.kill()

    async with running_server(database, *AUTO_START, variables=QUICKLY) as server, wallbox(server) as charger:
        await charger.report(ChargePointStatus.preparing)
        await charger.charged()
        assert charger.asked == [(1, "MCPP")]
        assert len(await transactions(server)) == 1


async def test_the_api_says_otherwise_for_one_charger(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", variables=QUICKLY) as server:
        await put(server, "/api/v1/charge-points/CP-2", {"auto_start": True})
        async with wallbox(server, "CP-1") as first, wallbox(server, "CP-2") as second:
            for charger in (first, second):
                await charger.boot()
                await charger.report(ChargePointStatus.preparing)
            await second.charged()
        assert [t["charge_point_id"] for t in await transactions(server)] == ["CP-2"]
        await server.terminate()

    assert {line["charge_point_id"] for line in server.lines if line["event"].startswith("auto_start")} == {"CP-2"}


async def test_a_reservation_of_somebody_else_is_kept(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", *AUTO_START, variables=QUICKLY) as server:
        async with wallbox(server) as charger:
            await charger.boot()
            reservation = {"connectorId": 1, "expiryDate": "2999-01-01T00:00:00Z", "idTag": "BOSS", "reservationId": 7}
            await command(server, "ReserveNow", reservation)
            await charger.report(ChargePointStatus.preparing)
            held = await server.wait_for_line(lambda line: line["event"] == "auto_start_held")
            assert charger.asked == []
            await command(server, "CancelReservation", {"reservationId": 7})
            await charger.charged()
        assert held["reason"] == "the connector is reserved"
        assert len(await transactions(server)) == 1
