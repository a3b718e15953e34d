"""The short form of the kills, and that the judge would see what they look for; `make kills` kills 200 times."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.campaigns.books import judge
from tests.campaigns.crowd import Charger
from tests.campaigns.kills import campaign
from tests.campaigns.served import Served
from tests.campaigns.speakers import speaker


async def test_what_was_answered_survives_kill_9_and_is_stored_once(tmp_path: Path) -> None:
    killed = await campaign(tmp_path, kills=10, chargers=20, seed=1, longest_life=0.6, wanted=300)

    assert killed.faults == ()
    assert killed.kills == 10
    assert min(killed.answered, killed.sessions, killed.values, killed.energy_wh) > 0


@dataclass
class Settled:
    """Books of some chargers that have told all, and a way to falsify a copy of them."""

    database: Path
    crowd: Sequence[Charger]

    def judged(self, *statements: str) -> list[str]:
        copy = self.database.with_name("copy.db")
        with closing(sqlite3.connect(self.database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            target.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                assert target.execute(statement).rowcount > 0
            target.commit()
        return judge(copy, self.crowd, is_settled=True)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Settled:
    served = Served(tmp_path_factory.mktemp("judge"))
    served.start()
    crowd = [
        speaker(number)(f"CP-{number}", lambda: served.ocpp_port, Random(number), pace=0.002) for number in range(4)
    ]

    async def live() -> None:
        living = [asyncio.create_task(charger.live()) for charger in crowd]
        async with asyncio.timeout(60):
            while not all(_has_told_enough(charger) for charger in crowd):
                await asyncio.sleep(0.01)
            for charger in crowd:
                charger.leave()
            await asyncio.gather(*living)

    try:
        asyncio.run(live())
        assert served.terminate() == 0
    finally:
        served.end()
    return Settled(served.database, crowd)


def _has_told_enough(charger: Charger) -> bool:
    return bool(charger.events) and sum(len(session.values) > 2 for session in charger.sessions) > 2


def test_right_books_are_judged_right(settled: Settled) -> None:
    assert settled.judged() == []


TWICE_STORED = (
    "INSERT INTO transaction_readings SELECT transaction_id, measured_at + 1, '', 0, samples, energy, origin,"
    " received_at FROM transaction_readings WHERE true ON CONFLICT DO NOTHING"
)

EVENTS_TWICE_STORED = (
    "INSERT INTO transaction_events SELECT transaction_id, happened_at + 1, seq_no, kind, 'Trigger', charging_state,"
    " id_tag, id_tag_type, is_offline, received_at FROM transaction_events WHERE true ON CONFLICT DO NOTHING"
)

FALSIFIED: Sequence[tuple[str, str]] = [
    ("its end is", "UPDATE transactions SET energy_wh = energy_wh + 1 WHERE id = 3"),
    ("its end is", "UPDATE transactions SET meter_stop = meter_stop + 1 WHERE id = 3"),
    ("its end is", "UPDATE transactions SET stop_origin = 'recovered', stop_match = NULL WHERE id = 3"),
    ("another start", "UPDATE transactions SET meter_start = meter_start + 1 WHERE id = 3"),
    ("nobody has told", "UPDATE transactions SET started_at = started_at + 1 WHERE id = 3"),
    ("0 transactions", "UPDATE transactions SET started_at = started_at + 1 WHERE id = 3"),
    ("in the books", "UPDATE transactions SET id = 10000 WHERE id = 3"),
    ("how often they are stored", "DELETE FROM transaction_readings WHERE measured_at % 2 = 0"),
    ("values stored of", TWICE_STORED),
    ("is stored 0 times", "DELETE FROM security_events WHERE id = 1"),
    ("events and how often", "DELETE FROM transaction_events WHERE happened_at % 2 = 0"),
    ("events stored of", EVENTS_TWICE_STORED),
    ("isn't stored", "UPDATE connectors SET status_at = status_at - 1"),
]


@pytest.mark.parametrize(("fault", "statement"), FALSIFIED)
def test_wrong_books_are_judged_wrong(settled: Settled, fault: str, statement: str) -> None:
    assert any(fault in found for found in settled.judged(statement))


def test_two_transactions_of_one_start_are_judged_wrong(settled: Settled) -> None:
    columns = _columns(settled.database)
    twin = f"INSERT INTO transactions (id, {columns}) SELECT 10000, {columns} FROM transactions WHERE id = 3"

    assert any("2 transactions" in found for found in settled.judged(twin))


def test_a_damaged_file_is_judged_damaged(settled: Settled, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    content = bytearray(settled.database.read_bytes())
    for page in range(5, len(content) // 4096):
        content[page * 4096 : page * 4096 + 100] = bytes(100)
    damaged.write_bytes(content)

    assert _fails_integrity(lambda: judge(damaged, settled.crowd))


def _fails_integrity(look: Callable[[], list[str]]) -> bool:
    try:
        (fault,) = look()
    except sqlite3.DatabaseError:
        return True
    return fault.startswith("integrity")


def _columns(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT name FROM pragma_table_info('transactions') WHERE name <> 'id'")
        return ", ".join(name for (name,) in rows)
