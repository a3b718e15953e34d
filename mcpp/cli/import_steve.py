"""`mcpp import steve`: chargers, cards with their people, and sessions out of SteVe's data export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final, TypeVar

import click

from mcpp.cli.csv_file import LineRefused
from mcpp.cli.database import begin_database, database_of, open_database
from mcpp.cli.import_rows import ChargePointRow, IdTagRow
from mcpp.cli.steve_export import BrokenSession, Row, Session, SteveExport, Unusable
from mcpp.domain import people
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Boot, boot
from mcpp.domain.closing import Stop
from mcpp.domain.errors import Conflict
from mcpp.domain.memory import Memory, as_stored
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.ocppj.flow import new_correlation_id
from mcpp.reads.terminal_text import printable
from mcpp.storage.sqlite.guests import Guest
from mcpp_generated.db.queries import Queries

SOME_REFUSED: Final = 1
"""Exit code where the file was read and some of it could not be used."""

_BATCH: Final = 200

_BOOT_COLUMNS: Final = {
    "serial_number": "charge_point_serial_number",
    "charge_box_serial_number": "charge_box_serial_number",
    "firmware_version": "fw_version",
    "iccid": "iccid",
    "imsi": "imsi",
    "meter_type": "meter_type",
    "meter_serial_number": "meter_serial_number",
}

_REASONS: Final = {reason.value.lower(): reason for reason in StopReason}

Item = TypeVar("Item", Row, Session | BrokenSession)


class _AlreadyThere(Exception):
    """What is in the database already."""


@dataclass
class Tally:
    """What became of the rows of one kind."""

    name: str
    added: int = 0
    known: int = 0
    refused: list[tuple[Row, str]] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Count something that a person should know."""
        self.notes[text] = self.notes.get(text, 0) + 1

    def line(self) -> str:
        """For the report."""
        notes = "".join(f"; {count} {text}" for text, count in self.notes.items())
        return f"{self.name}: {self.added} added, {self.known} there already, {len(self.refused)} refused{notes}"


class SteveImport:
    """One archive on its way into a database that no server has."""

    def __init__(self, export: SteveExport, guest: Guest, now: datetime) -> None:
        self._export = export
        self._guest = guest
        self._now = now
        self._memory = Memory()
        self._policy = AuthorizationPolicy()

    def run(self) -> Iterator[Tally]:
        """The parts one after the other; each is stored when it's told."""
        yield self._each("charge points", self._export.rows("charge_box"), self._charge_point)
        yield self._each("id tags", self._export.rows("ocpp_tag"), self._id_tag)
        yield self._each("people", self._export.rows("user"), partial(self._person, self._export.cards_of_users()))
        yield self._each("sessions", self._export.sessions(), self._session)

    def _each(self, name: str, items: Iterable[Item], store: Callable[[Queries, Tally, Item], None]) -> Tally:
        tally = Tally(name)
        remaining = iter(items)
        while batch := list(islice(remaining, _BATCH)):
            with self._guest.transaction() as q:
                for item in batch:
                    self._one(q, tally, item, store)
        return tally

    def _one(self, q: Queries, tally: Tally, item: Item, store: Callable[[Queries, Tally, Item], None]) -> None:
        try:
            with self._guest.part():
                store(q, tally, item)
        except _AlreadyThere:
            tally.known += 1
        except (Unusable, LineRefused, Conflict) as error:
            self._memory = Memory()
            tally.refused.append((item.row, str(error)))
        else:
            tally.added += 1

    def _charge_point(self, q: Queries, tally: Tally, row: Row) -> None:
        known = ChargePointRow.read(
            {"identity": row.needed("charge_box_id"), "display_name": row.text("description") or ""}
        )
        is_new = known.store(q)
        if row.text("auth_password") is not None:
            tally.note("had a password, which can't be taken over: set it anew")
        if not is_new:
            raise _AlreadyThere
        vendor, model = row.text("charge_point_vendor"), row.text("charge_point_model")
        if vendor is not None and model is not None:
            told = Boot(vendor=vendor, model=model, **{ours: row.text(its) for ours, its in _BOOT_COLUMNS.items()})
            last_seen = row.time("last_heartbeat_timestamp") if row.text("last_heartbeat_timestamp") else self._now
            boot(q, self._occasion(q, known.identity, last_seen), told)

    def _id_tag(self, q: Queries, tally: Tally, row: Row) -> None:
        tag = IdTagRow.read(
            {
                "id_tag": row.needed("id_tag"),
                "parent_id_tag": row.text("parent_id_tag") or "",
                "expiry_date": row.text("expiry_date") or "",
                "note": row.text("note") or "",
                "max_active_transaction_count": row.text("max_active_transaction_count") or "",
            }
        )
        if tag.warning is not None:
            tally.note("with more characters than chargers send")
        if not tag.store(q):
            raise _AlreadyThere

    def _person(self, cards: dict[str, list[str]], q: Queries, tally: Tally, row: Row) -> None:
        key = row.needed("user_pk")
        names = (row.text("first_name"), row.text("last_name"))
        name = " ".join(part for part in names if part) or row.text("e_mail") or f"User {key}"
        wanted = people.WantedPerson(name=name, note=row.text("note"), cards=cards.get(key, ()))
        if not wanted.cards:
            tally.note("without a card")
        if not people.put(q, self._now, f"steve-{key}", wanted):
            raise _AlreadyThere

    def _session(self, q: Queries, tally: Tally, item: Session | BrokenSession) -> None:
        if isinstance(item, BrokenSession):
            raise Unusable(item.reason)
        identity = item.charge_point_id
        place = self._memory.place(q, self._key_of(q, identity), item.connector_id)
        twin = q.find_start(
            connector_key=place.connector.key,
            started_at=as_stored(item.started_at),
            id_tag=item.id_tag,
            meter_start=item.meter_start,
        )
        if twin is not None:
            raise _AlreadyThere
        start = StartTransaction(
            connector_id=item.connector_id,
            id_tag=item.id_tag,
            meter_start=item.meter_start,
            started_at=as_stored(item.started_at),
            reservation_id=None,
        )
        # A charger that charges meanwhile ends its transaction by the id that SteVe gave it.
        self._guest.go_on_with_transaction(item.transaction_id)
        occasion = self._occasion(q, identity, item.start_received_at)
        transaction_id = start_transaction(q, occasion, start, self._policy, self._memory).value.transaction_id
        if transaction_id != item.transaction_id:
            tally.note("with another id, since theirs was given already")
        if item.stop is None:
            tally.note("that still run")
            return
        told = item.stop.reason or StopReason.LOCAL
        reason = _REASONS.get(told.lower(), StopReason.OTHER)
        stop = StopTransaction(
            transaction_id=transaction_id,
            stop=Stop(item.stop.meter_stop, as_stored(item.stop.stopped_at), None, reason),
            samples=(),
            original=OriginalMessage("1.6", lambda: "{}"),
        )
        # Known here from now on: a statement that is final stays as it is.
        stop_transaction(q, self._occasion(q, identity, self._now), stop, self._policy, self._memory)
        stored = q.find_transaction(id=transaction_id)
        if stored is not None and stored.implausible_reason is not None:
            tally.note("with an energy that can't be true")

    def _key_of(self, q: Queries, identity: str) -> int:
        known = q.get_credentials(identity=identity)
        if known is None:
            raise Unusable(f"its charge point {identity!r} isn't among the charge points")
        return known.key

    def _occasion(self, q: Queries, identity: str, at: datetime) -> Occasion:
        return Occasion(self._key_of(q, identity), identity, new_correlation_id(), as_stored(at), new_correlation_id)


def import_steve(file: str, options: dict[str, object]) -> int:
    """Carry it out, with a report. Raises StartError."""
    refused, database = 0, database_of(options)
    with closing(SteveExport.open(file)) as export:
        if not database.exists():
            begin_database(database)
            click.echo(f"{database}: made, since there was none")
        with open_database(database, may_write=True, alone=True) as guest:
            refused += _run(export, guest)
    return SOME_REFUSED if refused else 0


def _run(export: SteveExport, guest: Guest) -> int:
    """Gives how many rows were refused."""
    refused = 0
    for tally in SteveImport(export, guest, datetime.now(UTC)).run():
        for row, reason in tally.refused:
            click.echo(f"{row.table}.csv line {row.number}: {printable(reason)}", err=True)
        click.echo(tally.line())
        refused += len(tally.refused)
    if not export.has_sessions:
        click.echo("the export has no sessions: choose all data in SteVe to bring them along")
    return refused
