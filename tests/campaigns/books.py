"""What a database has of chargers that keep their own account: whether all that was answered is there, and once."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.campaigns.crowd import Charger, Session


def judge(database: Path, chargers: Iterable[Charger], *, is_settled: bool = False) -> list[str]:
    """What is wrong in the database of a server that doesn't run; `is_settled` once the chargers have told all.

    Looked at in a copy, so that the server itself has the recovery to do.
    """
    with _copied(database) as connection:
        integrity = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        if integrity != ["ok"]:
            return [f"integrity: {integrity[:5]}"]
        faults = [f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
        return faults + list(_Books(connection, is_settled=is_settled).faults(list(chargers)))


@contextmanager
def _copied(database: Path) -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory(prefix="books-") as folder:
        copy = Path(folder) / database.name
        for end in ("", "-wal"):  # the index to the log is made anew
            source = database.with_name(database.name + end)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + end))
        with closing(sqlite3.connect(copy)) as connection:
            yield connection


class _Books:
    def __init__(self, connection: sqlite3.Connection, *, is_settled: bool) -> None:
        self._ask = connection.execute
        self._is_settled = is_settled
        self._rows: dict[tuple[str, int], list[dict[str, Any]]] = {}
        cursor = self._ask(
            "SELECT p.identity, t.started_at, t.id, t.id_tag, t.evse_id, t.connector_id, t.meter_start, t.meter_stop,"
            " t.ocpp_transaction_id, t.stopped_at, t.stop_origin, t.energy_wh, t.implausible_reason"
            " FROM transactions AS t JOIN charge_points AS p ON p.key = t.charge_point_key"
        )
        names = [column[0] for column in cursor.description]
        for row in cursor:
            told = dict(zip(names, row, strict=True))
            self._rows.setdefault((told["identity"], told["started_at"]), []).append(told)

    def faults(self, chargers: list[Charger]) -> Iterator[str]:
        known = set()
        for charger in chargers:
            for session in charger.sessions:
                known.add((charger.identity, session.started_at))
                for fault in self._session(session, self._rows.get((charger.identity, session.started_at), [])):
                    yield f"{charger.identity}, {session}: {fault}"
        for key in self._rows.keys() - known:
            yield f"{key}: nobody has told of this transaction"
        for (count,) in self._ask("SELECT count(*) FROM unmatched WHERE transaction_id IS NULL"):
            if count:
                yield f"{count} messages belong to no transaction"
        yield from self._values(chargers)
        yield from self._events(chargers)
        yield from self._statuses(chargers)

    def _session(self, session: Session, rows: list[dict[str, Any]]) -> Iterator[str]:
        if len(set(session.transaction_ids)) > 1:
            yield f"its start was answered by {session.transaction_ids}"
        if len(rows) > 1 or (not rows and session.is_start_answered):
            yield f"{len(rows)} transactions"
            return
        if not rows:
            if self._is_settled:
                yield "no transaction"
            return
        (row,) = rows
        if session.transaction_ids and row["id"] != session.transaction_ids[0]:
            yield f"transaction {row['id']} in the books"
        tags = {session.tag} if session.is_tag_answered else {session.tag, ""}
        start = (row["evse_id"], row["connector_id"]), row["meter_start"], row["ocpp_transaction_id"]
        if start != (session.place, session.meter_start, session.own_id) or row["id_tag"] not in tags:
            yield f"another start in the books: {row}"
        if session.is_stop_answered:
            end = (session.meter_stop, session.stopped_at, session.wh, "charger", None)
            stored = tuple(
                row[name] for name in ("meter_stop", "stopped_at", "energy_wh", "stop_origin", "implausible_reason")
            )
            if stored != end:
                yield f"its end is {stored} in the books, by its own account {end}"
        elif self._is_settled:
            yield "its stop was never answered"

    def _values(self, chargers: list[Charger]) -> Iterator[str]:
        """What was answered since the last look, or all of it at the end."""
        for charger in chargers:
            fresh, charger.fresh_values = charger.fresh_values, []
            for session in charger.sessions if self._is_settled else {session for session, _ in fresh}:
                transaction_id = self._id_of(charger, session)
                stored = Counter(
                    self._ask(
                        "SELECT measured_at, value FROM transaction_samples WHERE transaction_id = ?", (transaction_id,)
                    )
                )
                told = session.values if self._is_settled else [value for one, value in fresh if one is session]
                wrong = [(value, stored[value]) for value in told if stored[value] != 1]
                if wrong:
                    yield f"{charger.identity}, {session}: values and how often they are stored: {wrong[:3]}"
                if self._is_settled and stored.total() != len(session.values):
                    yield f"{charger.identity}, {session}: {stored.total()} values stored of {len(session.values)}"

                yield from self._told_events(charger, session, transaction_id)

    def _id_of(self, charger: Charger, session: Session) -> int | None:
        rows = self._rows.get((charger.identity, session.started_at), [])
        return rows[0]["id"] if rows else None

    def _told_events(self, charger: Charger, session: Session, transaction_id: int | None) -> Iterator[str]:
        rows = self._ask("SELECT happened_at FROM transaction_events WHERE transaction_id = ?", (transaction_id,))
        stored = Counter(at for (at,) in rows)
        wrong = [(at, stored[at]) for at in session.events if stored[at] != 1]
        if wrong:
            yield f"{charger.identity}, {session}: events and how often they are stored: {wrong[:3]}"
        if self._is_settled and stored.total() != len(session.events):
            yield f"{charger.identity}, {session}: {stored.total()} events stored of {len(session.events)}"

    def _events(self, chargers: list[Charger]) -> Iterator[str]:
        rows = self._ask(
            "SELECT p.identity, e.tech_info FROM charge_points AS p JOIN"
            " (SELECT charge_point_key, tech_info FROM security_events UNION ALL"
            " SELECT charge_point_key, tech_info FROM device_events) AS e ON p.key = e.charge_point_key"
        )
        stored = Counter(rows)
        for charger in chargers:
            for event in charger.events:
                if stored[charger.identity, event] != 1:
                    yield f"{charger.identity}: event {event} is stored {stored[charger.identity, event]} times"

    def _statuses(self, chargers: list[Charger]) -> Iterator[str]:
        rows = self._ask(
            "SELECT p.identity, c.evse_id, c.connector_id, c.status_at FROM connectors AS c JOIN charge_points AS p"
            " ON p.key = c.charge_point_key WHERE c.status_at IS NOT NULL"
        )
        newest = {(identity, (evse, connector)): at for identity, evse, connector, at in rows}
        for charger in chargers:
            for place, at in charger.told_status_at.items():
                if newest.get((charger.identity, place), 0) < at:
                    yield f"{charger.identity}: the status of {at} at {place} isn't stored"
