"""The refused connections that are kept: bounded, fair among addresses, and said at a bounded rate."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from mcpp.bounds import REFUSED_CONNECTIONS
from mcpp.csms.outcomes import REFUSALS, ConnectionOutcome
from mcpp.csms.refused import REMEDIES, RefusedConnection, RefusedConnections, remedy_of
from mcpp.domain.events import ConnectionRefused
from mcpp.phrases import Phrase

URL = "ws://192.0.2.1:9000/ocpp/"


class Book:
    """The book, with the events that it publishes and a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[ConnectionRefused] = []
        self.book = RefusedConnections(
            lambda: URL,
            self.told.append,
            lambda: datetime.fromtimestamp(self.now, UTC),
            network_of=lambda address: address.rpartition(".")[0],
            clock=lambda: self.now,
        )

    def note(
        self,
        remote: str = "192.0.2.7",
        path: str = "/ws/",
        outcome: ConnectionOutcome = ConnectionOutcome.BAD_IDENTITY,
        why: str = "no identity",
        identity: str = "",
    ) -> RefusedConnection | None:
        return self.book.note(outcome, identity=identity, remote=remote, path=path, why=why)


@pytest.fixture
async def book() -> Book:
    return Book()


def test_each_refusal_has_its_remedy_and_nothing_else_has() -> None:
    assert REMEDIES.keys() == REFUSALS
    for outcome in REFUSALS:
        assert "{" not in remedy_of(outcome, URL, "1.6")
    assert URL in remedy_of(ConnectionOutcome.BAD_IDENTITY, URL, "1.6")


async def test_the_remedy_names_the_versions_that_this_charger_may_speak(book: Book) -> None:
    outcome = ConnectionOutcome.UNKNOWN_SUBPROTOCOL
    book.note(path="/a", outcome=outcome, why=Phrase("{offered}, not {versions}", offered="x" * 500, versions="2.0.1"))
    book.note(path="/b", outcome=outcome, why=Phrase("only {versions}", versions="1.6, 2.1"))

    latest, earlier = book.book.newest_first()
    assert latest.remedy.endswith("version 1.6, 2.1")
    assert earlier.remedy.endswith("version 2.0.1")


async def test_a_loop_is_one_entry_and_few_lines(book: Book) -> None:
    said = 0
    for attempt in range(24 * 360):
        book.now = attempt * 10.0
        said += book.note(why=f"attempt {attempt}") is not None
    assert book.note(why="another reason") is not None
    assert book.note(why="another reason") is None
    assert sum(book.note(why="reason " + "x" * number) is not None for number in range(50)) == 2

    (entry,) = book.book.newest_first()
    assert entry.count == 24 * 360 + 52
    assert (entry.first_at.timestamp(), entry.last_at.timestamp()) == (0, 86390)
    assert 2 <= said <= 10
    assert book.told[-1].count > 100


async def test_one_address_pushes_out_nobody_else_and_gets_few_lines(book: Book) -> None:
    quiet = [f"192.0.{network}.7" for network in range(20)]
    for remote in quiet:
        assert book.note(remote) is not None
    said = [book.note("198.51.100.7", f"/{number}") for number in range(10 * REFUSED_CONNECTIONS)]

    kept = book.book.newest_first()
    assert len(kept) == REFUSED_CONNECTIONS
    assert {entry.remote_address for entry in kept} == {*quiet, "198.51.100.7"}
    assert sum(line is not None for line in said) <= 10


async def test_many_addresses_get_a_bounded_number_of_lines(book: Book) -> None:
    said = [book.note(f"10.{number // 250}.{number % 250}.1") for number in range(5000)]
    assert sum(line is not None for line in said) == 50
    assert len(book.book.newest_first()) == REFUSED_CONNECTIONS


async def test_readers_hear_of_a_flood_at_a_bounded_rate_and_of_its_last_one() -> None:
    loop = asyncio.get_running_loop()
    told: list[ConnectionRefused] = []
    started = loop.time()
    # A second of the book's clock is ten milliseconds.
    book = RefusedConnections(
        lambda: URL, told.append, lambda: datetime.now(UTC), clock=lambda: (loop.time() - started) * 100
    )
    book._events._seconds = 0.05
    for number in range(1000):
        book.note(ConnectionOutcome.BAD_PATH, identity="", remote="192.0.2.7", path="/", why=str(number))
    async with asyncio.timeout(10):
        while told[-1].why != "999":
            await asyncio.sleep(0)
    assert len(told) <= 20


async def test_secrets_and_long_reasons_are_cut(book: Book) -> None:
    entry = book.note(why="password=hunter2 " + "x" * 5000, identity="CP-1")
    assert entry is not None
    assert "hunter2" not in entry.why
    assert len(entry.why.encode()) <= 300
    assert entry.charge_point_id == "CP-1"
