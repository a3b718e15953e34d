"""A change of AuthorizationKey that breaks off at every step: the charger always gets back in, by the key it has."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.server import Server, running_server

OLD, NEW, NEWER = "the-old-key-0001", "the-new-key-0002", "the-newer-key-0003"


@dataclass
class Charger:
    """A charger with a key, and one that it was sent: in use at once, or from its next reboot on."""

    key: str | None
    at_reboot: bool = False
    identity: str = "CP-1"
    answer: str | None = "Accepted"
    """None: it stores the key and says nothing."""
    stores: bool = True
    sent_key: str | None = None
    """The one that waits for the reboot."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    withheld: list[str] = field(default_factory=list)
    """Answers that it didn't send."""

    def reboot(self) -> None:
        self.key, self.sent_key = self.sent_key or self.key, None

    @asynccontextmanager
    async def online(self, server: Server) -> AsyncIterator[ClientConnection]:
        async with dialed(server, self.identity, self.key) as socket:
            reader = asyncio.create_task(self._obey(socket))
            yield socket
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _obey(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in socket:
                kind, message_id, action, payload = json.loads(message)
                assert (kind, action) == (2, "ChangeConfiguration")
                if self.stores and self.at_reboot:
                    self.sent_key = payload["value"]
                elif self.stores:
                    self.key = payload["value"]
                self.asked.set()
                text = json.dumps([3, message_id, {"status": self.answer or "Accepted"}])
                if self.answer is None:
                    self.withheld.append(text)
                else:
                    await socket.send(text)


@asynccontextmanager
async def dialed(server: Server, identity: str, key: str | None) -> AsyncIterator[ClientConnection]:
    headers = {}
    if key is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{identity}:{key}".encode()).decode()
    async with connect(
        f"{server.ocpp_url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")], additional_headers=headers, proxy=None
    ) as socket:
        yield socket


async def gets_in(server: Server, key: str | None, identity: str = "CP-1") -> bool:
    try:
        async with dialed(server, identity, key):
            return True
    except InvalidStatus as error:
        assert error.response.status_code == 401
        return False


async def keys_that_work(server: Server) -> list[str]:
    """Tried from the last, so that use of a new one has its effect on those before."""
    return [key for key in (OLD, NEW, NEWER) if await gets_in(server, key)]


async def put(server: Server, password: str | None = OLD) -> None:
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as api:
        answer = await api.put("/api/v1/charge-points/CP-1", json={"password": password})
    assert answer.status_code in {200, 201}, answer.text


async def change(server: Server, key: str) -> tuple[int, dict[str, Any]]:
    """ChangeConfiguration through the API; 0 where the server doesn't live to answer."""
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False, timeout=30) as api:
        try:
            answer = await api.post(
                "/api/v1/charge-points/CP-1/commands/ChangeConfiguration",
                json={"key": "AuthorizationKey", "value": key},
            )
        except httpx.TransportError:
            return 0, {}
    return answer.status_code, answer.json()


def stored(database: Path) -> tuple[bool, int]:
    """Whether there is a password, and how many candidates."""
    with sqlite3.connect(database) as connection:
        row = connection.execute("SELECT password_hash, password_hash_candidate FROM charge_points").fetchone()
    connection.close()
    return row[0] is not None, len((row[1] or "").split())


@asynccontextmanager
async def locked(database: Path) -> AsyncIterator[None]:
    """Nobody can write to the database meanwhile."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def settles(server: Server, charger: Charger) -> None:
    """The charger comes back with what it has, reboots, comes back again; then just its own key works."""
    async with charger.online(server):
        pass
    charger.reboot()
    async with charger.online(server):
        pass
    assert charger.key is not None
    if charger.key == NEW:
        assert not await gets_in(server, OLD)
    assert await gets_in(server, charger.key)
    assert not await gets_in(server, None)
    assert not await gets_in(server, "another-key-0009")


AT_ONCE_AND_AT_REBOOT = pytest.mark.parametrize("at_reboot", [False, True], ids=["at_once", "at_reboot"])


@AT_ONCE_AND_AT_REBOOT
@pytest.mark.parametrize("break_off", ["kill", "cut"])
@pytest.mark.parametrize("step", ["before_stored", "stored_not_received", "received_not_stored", "answer_lost", "used"])
async def test_a_change_that_breaks_off_locks_nobody_out(
    tmp_path: Path, step: str, break_off: str, at_reboot: bool
) -> None:
    database = tmp_path / "mcpp.db"
    charger = Charger(OLD, at_reboot)
    async with running_server(database) as server:
        await put(server)
        if step == "stored_not_received":
            # It reads nothing, so the frame goes out and gets nowhere.
            async with dialed(server, "CP-1", OLD) as socket:
                socket.transport.pause_reading()
                changing = asyncio.create_task(change(server, NEW))
                await server.wait_for_line(
                    lambda line: line.get("action") == "ChangeConfiguration" or bool(stored(database)[1])
                )
                await until_candidate(database)
                await broken_off(server, socket, break_off)
                await changing
        else:
            charger.stores = step != "received_not_stored"
            charger.answer = "Accepted" if step == "used" else None
            async with charger.online(server) as socket:
                if step == "before_stored":
                    async with locked(database):
                        changing = asyncio.create_task(change(server, NEW))
                        await broken_off(server, socket, break_off)
                    await changing
                    assert not charger.asked.is_set()
                else:
                    changing = asyncio.create_task(change(server, NEW))
                    await asyncio.wait_for(charger.asked.wait(), 10)
                    assert stored(database) == (True, 1)  # before the frame went out
                    if step == "used":
                        assert (await changing)[1]["response"] == {"status": "Accepted"}
                    await broken_off(server, socket, break_off)
                    await changing
        charger.stores = True
        if break_off == "cut":
            await settles(server, charger)
    if break_off == "kill":
        async with running_server(database) as server:
            await settles(server, charger)


async def until_candidate(database: Path) -> None:
    async with asyncio.timeout(10):
        while not stored(database)[1]:
            await asyncio.sleep(0.01)


async def broken_off(server: Server, socket: ClientConnection, how: str) -> None:
    if how == "kill":
        await server.kill()
    else:
        socket.transport.abort()


@AT_ONCE_AND_AT_REBOOT
async def test_the_old_key_ends_with_the_first_use_of_the_new_one(tmp_path: Path, at_reboot: bool) -> None:
    charger = Charger(OLD, at_reboot)
    async with running_server(tmp_path / "mcpp.db") as server:
        await put(server)
        async with charger.online(server):
            assert (await change(server, NEW))[1]["response"] == {"status": "Accepted"}
        for _ in range(2):
            assert await gets_in(server, OLD)  # ends nothing
        charger.reboot()
        async with charger.online(server):
            pass

        assert charger.key == NEW
        assert await keys_that_work(server) == [NEW]
        assert stored(tmp_path / "mcpp.db") == (True, 0)


@pytest.mark.parametrize("answer", ["Rejected", "NotSupported"])
async def test_a_refused_key_never_works(tmp_path: Path, answer: str) -> None:
    charger = Charger(OLD, answer=answer, stores=False)
    async with running_server(tmp_path / "mcpp.db") as server:
        await put(server)
        async with charger.online(server):
            assert (await change(server, NEW))[1]["response"] == {"status": answer}

        assert await keys_that_work(server) == [OLD]


async def test_late_answers_count(tmp_path: Path) -> None:
    charger = Charger(OLD, answer=None, stores=False)
    async with running_server(tmp_path / "mcpp.db", "--call-timeout", "0.5") as server:
        await put(server)
        async with charger.online(server) as socket:
            assert (await change(server, NEW))[0] == 504
            assert stored(tmp_path / "mcpp.db") == (True, 1)
            (answer,) = charger.withheld
            await socket.send(answer.replace("Accepted", "Rejected"))
            async with asyncio.timeout(10):
                while stored(tmp_path / "mcpp.db")[1]:
                    await asyncio.sleep(0.01)

        assert await keys_that_work(server) == [OLD]


@AT_ONCE_AND_AT_REBOOT
@pytest.mark.parametrize("received", [(), (NEW,), (NEWER,), (NEW, NEWER)])
async def test_two_changes_without_an_answer(tmp_path: Path, received: tuple[str, ...], at_reboot: bool) -> None:
    """Whichever of the two the charger has got, it gets in by it; the operator's PUT in between changes nothing."""
    charger = Charger(OLD, at_reboot, answer=None)
    async with running_server(tmp_path / "mcpp.db", "--call-timeout", "0.3") as server:
        await put(server)
        async with charger.online(server):
            for key in (NEW, NEWER):
                charger.stores = key in received
                assert (await change(server, key))[0] == 504
            await put(server)
        async with charger.online(server):
            pass
        charger.reboot()
        async with charger.online(server):
            pass

        assert charger.key == (OLD, *received)[-1]
        assert await gets_in(server, OLD) is (not received)
        if charger.key == NEWER:
            assert not await gets_in(server, NEW)


async def test_a_charger_without_a_password_gets_its_first_one(tmp_path: Path) -> None:
    charger = Charger(None, at_reboot=True)
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        async with charger.online(server):
            assert (await change(server, NEW))[1]["response"] == {"status": "Accepted"}
        async with charger.online(server):
            pass
        await server.kill()
    async with running_server(database) as server:
        assert await gets_in(server, None)
        charger.reboot()
        async with charger.online(server):
            pass

        assert charger.key == NEW
        assert not await gets_in(server, None)
        assert await keys_that_work(server) == [NEW]


async def test_a_key_that_can_not_be_stored_is_not_sent(tmp_path: Path) -> None:
    charger = Charger(OLD)
    async with running_server(tmp_path / "mcpp.db") as server:
        await put(server)
        async with charger.online(server), locked(tmp_path / "mcpp.db"):
            status, problem = await change(server, NEW)

            assert (status, problem["code"]) == (503, "not_stored")
            assert "not sent" in problem["detail"]
            assert not charger.asked.is_set()
        assert await keys_that_work(server) == [OLD]


async def test_too_many_changes_without_an_answer_are_refused(tmp_path: Path) -> None:
    charger = Charger(OLD, answer=None, stores=False)
    async with running_server(tmp_path / "mcpp.db", "--call-timeout", "0.2") as server:
        await put(server)
        async with charger.online(server):
            statuses = [(await change(server, f"one-more-key-{number}"))[0] for number in (1, 2, 3, 4, 4, 5)]
        assert statuses == [504, 504, 504, 504, 504, 409]
        assert await keys_that_work(server) == [OLD]
