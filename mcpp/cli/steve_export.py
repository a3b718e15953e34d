"""SteVe's data export: a ZIP archive with a CSV file for each table of its database, `NULL` for what is none.

Facts from its public sources: tables charge_box, connector, ocpp_tag, user, user_ocpp_tag (before that existed, a user
had one card in user.ocpp_tag_pk), transaction_start and transaction_stop, of which the last of a transaction counts.
The export of master data alone has no transactions. Times are ISO 8601 in UTC; meter values text in Wh.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import PurePosixPath
from typing import Final, NamedTuple, Self, TypeAlias
from zipfile import BadZipFile, ZipFile

from mcpp.cli.times import read_time
from mcpp.errors import StartError

Cells: TypeAlias = Mapping[str, str | None]

_NEEDED: Final = ("charge_box", "ocpp_tag")

_LARGEST_TABLE: Final = 4 << 30
"""Bytes, unpacked; what is left out of a table is nothing of ours."""

_ENCRYPTED: Final = 1
"""The flag in a ZIP entry."""


class Unusable(Exception):
    """A row that can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    table: str
    number: int
    """Of its line, from 1, the header's."""
    cells: Cells

    @property
    def row(self) -> Row:
        """Itself: what is made of a row has it, too."""
        return self

    def text(self, column: str) -> str | None:
        """None for NULL, an empty cell and a column that this version of SteVe doesn't have."""
        value = self.cells.get(column)
        return value.strip() or None if value is not None else None

    def needed(self, column: str) -> str:
        """Raises Unusable where there is none."""
        value = self.text(column)
        if value is None:
            raise Unusable(f"{column} is empty")
        return value

    def number_of(self, column: str) -> int:
        """A whole number, its fraction cut off. Raises Unusable."""
        text = self.needed(column)
        try:
            return int(Decimal(text))
        except (InvalidOperation, ValueError, OverflowError):
            raise Unusable(f"{column} {text!r} is not a number") from None

    def time(self, column: str) -> datetime:
        """Raises Unusable."""
        try:
            return read_time(self.needed(column), UTC)
        except ValueError as error:
            raise Unusable(f"{column}: {error}") from None


class Session(NamedTuple):
    """A transaction of SteVe's."""

    row: Row
    transaction_id: int
    charge_point_id: str
    connector_id: int
    id_tag: str
    started_at: datetime
    start_received_at: datetime
    meter_start: int
    stop: SessionStop | None


class SessionStop(NamedTuple):
    """How it ended."""

    stopped_at: datetime
    meter_stop: int
    reason: str | None


class BrokenSession(NamedTuple):
    """A transaction of SteVe's that can't be used."""

    row: Row
    reason: str


class SteveExport:
    """An archive that is open."""

    def __init__(self, file: str, archive: ZipFile) -> None:
        """Raises StartError where it isn't an export of SteVe's."""
        self._file = file
        self._archive = archive
        self._names = {
            PurePosixPath(entry.filename).stem.lower(): entry
            for entry in archive.infolist()
            if entry.filename.lower().endswith(".csv")
        }
        missing = [table for table in _NEEDED if table not in self._names]
        if missing:
            raise StartError(
                f"{file}: no {missing[0]}.csv in it; in SteVe, choose Data Management, Export, and give that file"
            )
        for entry in self._names.values():
            if entry.flag_bits & _ENCRYPTED:
                raise StartError(f"{file}: {entry.filename} is encrypted; give the archive as SteVe made it")
            if entry.file_size > _LARGEST_TABLE:
                raise StartError(f"{file}: {entry.filename} has {entry.file_size} bytes, {_LARGEST_TABLE} at most")

    @classmethod
    def open(cls, file: str) -> Self:
        """Raises StartError."""
        try:
            return cls(file, ZipFile(file))
        except BadZipFile as error:
            raise StartError(f"{file} is no ZIP archive ({error}); give the file that SteVe's export saved") from error
        except OSError as error:
            raise StartError(f"{file} can't be read: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    @property
    def has_sessions(self) -> bool:
        """Whether it's an export of all data."""
        return "transaction_start" in self._names

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, none where the archive doesn't have it. Raises StartError for a broken one."""
        entry = self._names.get(table)
        if entry is None:
            return
        try:
            with self._archive.open(entry) as binary, TextIOWrapper(binary, "utf-8-sig", newline="") as text:
                reader = csv.DictReader(text, strict=True)
                for cells in reader:
                    named = {name: None if value == "NULL" else value for name, value in cells.items() if name}
                    yield Row(table, reader.line_num, named)
        except (csv.Error, UnicodeDecodeError, BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise StartError(f"{self._file}: {entry.filename} is broken: {error}; export it again") from error

    def sessions(self) -> Iterator[Session | BrokenSession]:
        """The transactions in the order in which SteVe stored them, which is that of their ids."""
        connectors = {row.text("connector_pk"): row for row in self.rows("connector")}
        stops = self._stops()
        starts = sorted(self.rows("transaction_start"), key=lambda row: _sort_key(row.text("transaction_pk")))
        for row in starts:
            try:
                connector = connectors.get(row.needed("connector_pk"))
                if connector is None:
                    raise Unusable(f"there is no connector {row.text('connector_pk')}")
                transaction = row.needed("transaction_pk")
                stop = stops.get(transaction)
                yield Session(
                    row,
                    row.number_of("transaction_pk"),
                    connector.needed("charge_box_id"),
                    connector.number_of("connector_id"),
                    row.needed("id_tag"),
                    row.time("start_timestamp"),
                    row.time("event_timestamp" if row.text("event_timestamp") else "start_timestamp"),
                    row.number_of("start_value"),
                    None if stop is None else _stop_of(stop),
                )
            except Unusable as error:
                yield BrokenSession(row, str(error))

    def cards_of_users(self) -> dict[str, list[str]]:
        """The id tags of each user, by user_pk."""
        tags = {row.text("ocpp_tag_pk"): row.text("id_tag") for row in self.rows("ocpp_tag")}
        cards: dict[str, list[str]] = {}
        for table in ("user_ocpp_tag", "user"):
            for row in self.rows(table):
                user, tag = row.text("user_pk"), tags.get(row.text("ocpp_tag_pk"))
                if user is not None and tag is not None and tag not in cards.setdefault(user, []):
                    cards[user].append(tag)
        return cards

    def _stops(self) -> dict[str, Row]:
        """The last of each transaction, as SteVe's own view has it."""
        stops: dict[str, Row] = {}
        for row in self.rows("transaction_stop"):
            transaction = row.text("transaction_pk") or ""
            before = stops.get(transaction)
            if before is None or (row.text("event_timestamp") or "") >= (before.text("event_timestamp") or ""):
                stops[transaction] = row
        return stops


def _stop_of(row: Row) -> SessionStop:
    return SessionStop(
        row.time("stop_timestamp"),
        row.number_of("stop_value"),
        row.text("stop_reason"),
    )


def _sort_key(number: str | None) -> tuple[int, str]:
    """Whole numbers without a sign in their order, whatever their length."""
    return (len(number), number) if number else (0, "")
