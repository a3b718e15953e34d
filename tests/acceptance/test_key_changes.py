"""A change of AuthorizationKey that breaks off at every step: the charger always gets back in, by the key it has."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
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


async def keys_that_work(server: Server, identity: str) -> list[str]:
    """Tried from the oldest on, so that use of a new one has its effect on none before it was tried."""
    return [key for key in (OLD, NEW, NEWER) if await gets_in(server, key, identity)]


async def put(server: Server, identity: str, password: str | None = OLD) -> None:
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False, timeout=30) as api:
        answer = await api.put(f"/api/v1/charge-points/{identity}", json={"password": password})
    assert answer.status_code in {200, 201}, answer.text


async def change(server: Server, identity: str, key: str) -> tuple[int, dict[str, Any]]:
    """ChangeConfiguration through the API; 0 where the server doesn't live to answer."""
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False, timeout=30) as api:
        try:
            answer = await api.post(
                f"/api/v1/charge-points/{identity}/commands/ChangeConfiguration",
                json={"key": "AuthorizationKey", "value": key},
            )
        except httpx.TransportError:
            return 0, {}
    return answer.status_code, answer.json()


def stored(database: Path, identity: str) -> tuple[bool, int]:
    """Whether there is a password, and how many candidates."""
    with sqlite3.connect(database) as connection:
        row = connection.execute(
            "SELECT password_hash, password_hash_candidate FROM charge_points WHERE identity = ?", (identity,)
        ).fetchone()
    connection.close()
    return row[0] is not None, len((row[1] or "").split())


async def until_stored(database: Path, identity: str, candidates: int) -> None:
    async with asyncio.timeout(30):
        while stored(database, identity)[1] != candidates:
            await asyncio.sleep(0.01)


@contextmanager
def locked(database: Path) -> Iterator[None]:
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
        assert await keys_that_work(server, charger.identity) == [NEW]
    assert await gets_in(server, charger.key, charger.identity)
    assert not await gets_in(server, None, charger.identity)
    assert not await gets_in(server, "another-key-0009", charger.identity)


class Changes:
    """A change of the key of one charger for each step that it can break off at, and for each kind of charger."""

    def __init__(self, server: Server, database: Path) -> None:
        self.server = server
        self.database = database
        self.chargers: list[Charger] = []
        self.sockets: list[ClientConnection] = []
        self.changing: list[asyncio.Task[tuple[int, dict[str, Any]]]] = []

    async def begin(self, step: str, online: AsyncExitStack) -> None:
        for at_reboot in (False, True):
            charger = Charger(OLD, at_reboot, f"{step}-{at_reboot}")
            self.chargers.append(charger)
            await put(self.server, charger.identity)
            if step == "not_received":
                # It reads nothing, so that the frame goes out and gets nowhere.
                socket = await online.enter_async_context(dialed(self.server, charger.identity, OLD))
                socket.transport.pause_reading()
            else:
                charger.stores = step != "not_stored"
                charger.answer = "Accepted" if step == "answered" else None
                socket = await online.enter_async_context(charger.online(self.server))
            self.sockets.append(socket)

    async def change(self, charger: Charger) -> None:
        """Up to the step."""
        changing = asyncio.create_task(change(self.server, charger.identity, NEW))
        self.changing.append(changing)
        if charger.identity.startswith("not_received"):
            await until_stored(self.database, charger.identity, 1)
        elif not charger.identity.startswith("before"):
            await asyncio.wait_for(charger.asked.wait(), 30)
            assert stored(self.database, charger.identity) == (True, 1)  # before the frame had gone out
        if charger.identity.startswith("answered"):
            assert (await changing)[1]["response"] == {"status": "Accepted"}

    async def break_off(self, how: str) -> None:
        if how == "kill":
            await self.server.kill()
        for socket in self.sockets:
            socket.transport.abort()


@pytest.mark.parametrize("how", ["kill", "cut"])
async def test_a_change_that_breaks_off_at_any_step_locks_nobody_out(tmp_path: Path, how: str) -> None:
    """Before the candidate is stored, before the frame is there, before the charger stores it, before it's answered."""
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        changes = Changes(server, database)
        async with AsyncExitStack() as online:
            for step in ("not_received", "not_stored", "answer_lost", "answered", "before"):
                await changes.begin(step, online)
            *others, first, second = changes.chargers
            for charger in others:
                await changes.change(charger)
            with locked(database):
                await changes.change(first)
                await changes.change(second)
                await changes.break_off(how)
                if how == "kill":
                    await asyncio.gather(*changes.changing)
            await asyncio.gather(*changes.changing)
            assert not first.asked.is_set()
            assert not second.asked.is_set()
        if how == "cut":
            await asyncio.gather(*(settles(server, charger) for charger in changes.chargers))
    if how == "kill":
        async with running_server(database) as server:
            await asyncio.gather(*(settles(server, charger) for charger in changes.chargers))
    kept = {charger.identity.partition("-")[0] for charger in changes.chargers if charger.key == OLD}
    assert kept == {"not_received", "not_stored", "before"}


async def is_used(server: Server, database: Path, *, at_reboot: bool) -> None:
    """The old key ends with the first use of the new one."""
    charger = Charger(OLD, at_reboot, f"used-{at_reboot}")
    await put(server, charger.identity)
    async with charger.online(server):
        assert (await change(server, charger.identity, NEW))[1]["response"] == {"status": "Accepted"}
    assert await gets_in(server, OLD, charger.identity)
    assert stored(database, charger.identity) == (True, 1)  # use of the old one ends nothing
    charger.reboot()
    async with charger.online(server):
        pass
    assert charger.key == NEW
    assert await keys_that_work(server, charger.identity) == [NEW]
    assert stored(database, charger.identity) == (True, 0)


async def is_not_taken(server: Server, answer: str) -> None:
    charger = Charger(OLD, identity=answer, answer=answer, stores=False)
    await put(server, answer)
    async with charger.online(server):
        assert (await change(server, answer, NEW))[1]["response"] == {"status": answer}
    assert await keys_that_work(server, answer) == [OLD]


async def test_what_is_answered_and_used(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        await asyncio.gather(
            *(is_used(server, database, at_reboot=at_reboot) for at_reboot in (False, True)),
            *(is_not_taken(server, answer) for answer in ("Rejected", "NotSupported")),
        )

        charger = Charger(OLD, identity="not-stored")
        await put(server, charger.identity)
        async with charger.online(server):
            with locked(database):
                status, problem = await change(server, charger.identity, NEW)
            assert (status, problem["code"]) == (503, "not_stored")
            assert "not sent" in problem["detail"]
            assert not charger.asked.is_set()
        assert await keys_that_work(server, charger.identity) == [OLD]


async def test_a_charger_without_a_password_gets_its_first_one(tmp_path: Path) -> None:
    charger = Charger(None, at_reboot=True)
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        async with charger.online(server):
            assert (await change(server, "CP-1", NEW))[1]["response"] == {"status": "Accepted"}
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
        assert await keys_that_work(server, "CP-1") == [NEW]


async def is_answered_late(server: Server, database: Path) -> None:
    """A late answer counts."""
    charger = Charger(OLD, identity="late", answer=None, stores=False)
    await put(server, "late")
    async with charger.online(server) as socket:
        assert (await change(server, "late", NEW))[0] == 504
        assert stored(database, "late") == (True, 1)
        (answer,) = charger.withheld
        await socket.send(answer.replace("Accepted", "Rejected"))
        await until_stored(database, "late", 0)
    assert await keys_that_work(server, "late") == [OLD]


async def is_sent_two(server: Server, received: tuple[str, ...], *, at_reboot: bool) -> None:
    """Of which it stores some."""
    charger = Charger(OLD, at_reboot, "-".join(("two", str(at_reboot), *received)), answer=None)
    await put(server, charger.identity)
    async with charger.online(server):
        for key in (NEW, NEWER):
            charger.stores = key in received
            assert (await change(server, charger.identity, key))[0] == 504
        await put(server, charger.identity)  # an operator's word in between
    async with charger.online(server):
        pass
    charger.reboot()
    async with charger.online(server):
        pass
    assert charger.key == (OLD, *received)[-1]
    assert await gets_in(server, OLD, charger.identity) is (not received)
    if charger.key == NEWER:
        assert await keys_that_work(server, charger.identity) == [NEWER]


async def is_sent_many(server: Server) -> None:
    charger = Charger(OLD, identity="many", answer=None, stores=False)
    await put(server, "many")
    async with charger.online(server):
        statuses = [(await change(server, "many", f"one-more-key-{number}"))[0] for number in (1, 2, 3, 4, 4, 5)]
    assert statuses == [504, 504, 504, 504, 504, 409]
    assert await keys_that_work(server, "many") == [OLD]


async def test_without_an_answer_in_time(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database, "--call-timeout", "0.3") as server:
        await asyncio.gather(
            is_answered_late(server, database),
            *(
                is_sent_two(server, received, at_reboot=at_reboot)
                for at_reboot in (False, True)
                for received in ((), (NEW,), (NEWER,), (NEW, NEWER))
            ),
            is_sent_many(server),
        )
