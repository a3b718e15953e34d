"""`mcpp import`: id tags, charge points and people from CSV, into a database whose server may be running."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Generic, Protocol, TypeVar

import click

from mcpp.cli.csv_file import Cells, Column, CsvTable, LineRefused, Unreadable
from mcpp.cli.database import database_of, open_database
from mcpp.cli.file_text import open_text
from mcpp.cli.import_people import PERSON_COLUMNS, PersonRow
from mcpp.cli.import_rows import CHARGE_POINT_COLUMNS, ID_TAG_COLUMNS, ChargePointRow, IdTagRow
from mcpp.cli.import_steve import SOME_REFUSED, import_steve
from mcpp.cli.options import setting_options
from mcpp.domain.errors import Conflict
from mcpp.reads.terminal_text import printable
from mcpp.storage.sqlite.guests import Guest
from mcpp_generated.db.queries import Queries

_BATCH: Final = 500
"""Lines of one transaction: a server that writes meanwhile waits for milliseconds."""


class _Row(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def warning(self) -> str | None: ...
    def store(self, q: Queries) -> bool: ...


RowType = TypeVar("RowType", bound=_Row)


@click.group("import")
def import_() -> None:
    """Read id tags, charge points or people from CSV, or all of SteVe's export.

    The first line names the columns, in any order. What spreadsheets save as CSV can be read: commas, semicolons or
    tabs between cells, a line sep=; before the header, UTF-8, UTF-16 or Windows-1252, dates as 31.12.2026. What is
    stored already is changed; columns that the file doesn't have are left as they are stored. Lines that can't be used
    are reported on standard error, all others are stored; a server may be running meanwhile.

    Exit code 0: all lines are in. 1: some were refused. 2: the file or the database can't be used.
    """


_OPTIONS: Final[list[click.Parameter]] = [
    click.Argument(["file"], type=click.Path(allow_dash=True)),
    click.Option(["--dry-run"], is_flag=True, help="Only check: write nothing."),
    *setting_options("database"),
]


@import_.command("id-tags", params=_OPTIONS)
def import_id_tags(file: str, dry_run: bool, **options: object) -> int:
    """Read id tags from FILE, - for standard input.

    Columns: id_tag; status (Accepted, Blocked, Expired or Invalid; Accepted where it is empty); expiry_date
    (2026-12-31T23:59:59Z; without an offset in the machine's time zone, a date alone holds
    through that day); parent_id_tag; note.

    SteVe's table ocpp_tag can be read as it is: a max_active_transaction_count of 0 means Blocked.
    """
    return _import(_Importer(file, ID_TAG_COLUMNS, IdTagRow.read), dry_run, options)


@import_.command("charge-points", params=_OPTIONS)
def import_charge_points(file: str, dry_run: bool, **options: object) -> int:
    """Read charge points from FILE, - for standard input.

    Columns: identity (or charge_point_id), display_name, password (stored only as a hash; an empty one leaves the
    stored one as it is), auto_start (on, off, or empty for what the setting says).

    SteVe's table charge_box can be read as it is: charge_box_id is the identity, description the display_name.
    """
    return _import(_Importer(file, CHARGE_POINT_COLUMNS, ChargePointRow.read), dry_run, options)


@import_.command("people", params=_OPTIONS)
def import_people(file: str, dry_run: bool, **options: object) -> int:
    """Read people from FILE, - for standard input: who charges, with which cards, at what price.

    Columns: id (letters, digits, '.', '_' and '-', such as flat-2b); name; note; cards (all of theirs, with ; or ,
    between them: one that is left out is nobody's from now on, one that isn't stored becomes an accepted id tag);
    price_per_kwh (0.295 or 0,295; empty for the default).

    A card of somebody else's is refused: take it from them first.
    """
    return _import(_Importer(file, PERSON_COLUMNS, PersonRow.read), dry_run, options)


@import_.command(
    "steve", params=[click.Argument(["file"], type=click.Path(dir_okay=False)), *setting_options("database")]
)
def steve(file: str, **options: object) -> int:
    """Read all that SteVe's data export FILE (a ZIP archive) has of charge points, id tags, people and sessions.

    No server may run on the database meanwhile. Sessions keep SteVe's ids where they can, so that a charger that
    charges while you move ends its session here. What is there already stays as it is, so it can be repeated.
    Passwords of chargers can't be taken over, meter values aren't.
    """
    return import_steve(file, options)


@dataclass
class _Importer(Generic[RowType]):
    """One file on its way in."""

    file: str
    columns: Sequence[Column]
    read: Callable[[Cells], RowType]
    refused: int = 0
    added: int = 0
    changed: int = 0
    _lines: dict[str, int] = field(default_factory=dict)
    """The line of each thing in the file."""

    def rows(self, table: CsvTable) -> Iterator[RowType]:
        """The lines that can be used; reports the others."""
        for record in table:
            try:
                if isinstance(record, Unreadable):
                    raise LineRefused(record.reason)
                row = self.read(record.cells)
                first = self._lines.setdefault(row.key, record.line)
                if first != record.line:
                    raise LineRefused(f"{row.key} stands in line {first} already; take one of them out")
            except LineRefused as error:
                self.refused += 1
                click.echo(f"line {record.line}: {printable(str(error))}", err=True)
            else:
                if row.warning is not None:
                    click.echo(f"line {record.line}: warning: {printable(row.warning)}", err=True)
                yield row

    def store(self, guest: Guest, rows: Sequence[RowType]) -> None:
        """Stores some rows; reports those that don't fit what is stored."""
        with guest.transaction() as q:
            for row in rows:
                try:
                    with guest.part():
                        is_new = row.store(q)
                except Conflict as error:
                    self.refused += 1
                    click.echo(f"line {self._lines[row.key]}: {printable(str(error))}", err=True)
                else:
                    self.added += is_new
                    self.changed += not is_new


def _import(importer: _Importer[RowType], dry_run: bool, options: dict[str, object]) -> int:
    with (
        open_text(importer.file) as (text, note),
        open_database(database_of(options), may_write=not dry_run) as guest,
    ):
        if note is not None:
            click.echo(note, err=True)
        table = CsvTable(importer.file, text, importer.columns)
        if table.unused:
            click.echo(f"not used: {printable(', '.join(table.unused))}", err=True)
        usable = importer.rows(table)
        checked = 0
        while batch := list(islice(usable, _BATCH)):
            checked += len(batch)
            if not dry_run:
                importer.store(guest, batch)
    done = f"{checked} can be stored" if dry_run else f"{importer.added} added, {importer.changed} changed"
    click.echo(f"{importer.file}: {done}, {importer.refused} refused")
    return SOME_REFUSED if importer.refused else 0
