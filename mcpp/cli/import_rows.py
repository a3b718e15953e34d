"""What the columns of an imported file mean: id tags and charge points, as MCPP writes them or as SteVe does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from mcpp.cli.csv_file import Cells, Column, LineRefused
from mcpp.cli.times import read_time
from mcpp.domain import id_tags
from mcpp.domain.charge_points import KEEP, Keep, Wanted, put_charge_point
from mcpp.domain.identities import mistake_in
from mcpp.server.passwords import hash_password
from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.db.queries import Queries

ID_TAG_COLUMNS: Final = (
    Column("id_tag"),
    Column("status"),
    Column("expiry_date"),
    Column("parent_id_tag"),
    Column("note"),
    Column("max_active_transaction_count"),
    Column("blocked"),
)

CHARGE_POINT_COLUMNS: Final = (
    Column("identity", frozenset({"charge_point_id", "charge_box_id", "id"})),
    Column("display_name", frozenset({"description"})),
    Column("password", verbatim=True),
    Column("auto_start"),
)

# Lengths as the API has them.
LONGEST_NAME: Final = 255
LONGEST_NOTE: Final = 1_000
_LONGEST_PARENT: Final = 20
"""An answer to a charger carries it (OCPP 1.6 §7.28 IdToken)."""

_USUAL_ID_TAG: Final = 20
"""Characters of an id tag that a charger can send (OCPP 1.6 §7.28 IdToken)."""

_MANGLED: Final = re.compile(r"\d([.,]\d+)?[Ee]\+\d{1,3}")
"""What a spreadsheet makes of a long number."""

_SWITCH: Final = {
    word: on
    for on, words in ((True, "on true yes 1 wahr ja"), (False, "off false no 0 falsch nein"))
    for word in words.split()
}


@dataclass(frozen=True)
class IdTagRow:
    """A line of a file of id tags; what its columns don't say stays as it's stored."""

    id_tag: str
    status: IdTagStatus | Keep
    expiry_date: datetime | Keep | None
    parent_id_tag: str | Keep | None
    note: str | Keep | None

    @classmethod
    def read(cls, cells: Cells) -> IdTagRow:
        """Raises LineRefused."""
        return cls(
            read_id_tag(cells["id_tag"]),
            _status(cells),
            KEEP if "expiry_date" not in cells else _expiry_date(cells["expiry_date"]),
            KEEP if "parent_id_tag" not in cells else _parent(cells["parent_id_tag"]),
            KEEP if "note" not in cells else read_short(cells["note"], "note", LONGEST_NOTE) or None,
        )

    @property
    def warning(self) -> str | None:
        """What a person should know of it, though it's stored."""
        if len(self.id_tag) <= _USUAL_ID_TAG:
            return None
        return f"{self.id_tag} has {len(self.id_tag)} characters; chargers send {_USUAL_ID_TAG} at most"

    @property
    def key(self) -> str:
        """The same for two lines about one thing: letter case of ASCII doesn't count (CiString)."""
        return self.id_tag.encode().lower().decode()

    def store(self, q: Queries) -> bool:
        """Returns whether it's a new one."""
        stored = q.get_id_tag(id_tag=self.id_tag)
        before = id_tags.StoredTag(self.id_tag)
        if stored is not None:
            before = id_tags.StoredTag(
                self.id_tag, stored.status, stored.expiry_date, stored.parent_id_tag, stored.note, stored.token_type
            )
        tag = id_tags.StoredTag(
            self.id_tag,
            before.status if self.status is KEEP else self.status,
            before.expiry_date if self.expiry_date is KEEP else self.expiry_date,
            before.parent_id_tag if self.parent_id_tag is KEEP else self.parent_id_tag,
            before.note if self.note is KEEP else self.note,
            before.token_type,
        )
        return id_tags.put(q, tag)


@dataclass(frozen=True)
class ChargePointRow:
    """A line of a file of charge points."""

    identity: str
    wanted: Wanted

    @classmethod
    def read(cls, cells: Cells) -> ChargePointRow:
        """Raises LineRefused. Takes some milliseconds where there is a password."""
        identity = _name(cells, "identity")
        mistake = mistake_in(identity)
        if mistake is not None:
            raise LineRefused(f"identity {identity!r}: {mistake}")
        password = read_short(cells.get("password", ""), "password", LONGEST_NAME)
        wanted = Wanted(
            display_name=KEEP if "display_name" not in cells else _display_name(cells["display_name"]),
            auto_start=KEEP if "auto_start" not in cells else _switch(cells["auto_start"], "auto_start"),
            password_hash=hash_password(password) if password else KEEP,
        )
        return cls(identity, wanted)

    @property
    def warning(self) -> None:
        """There is none."""
        return

    @property
    def key(self) -> str:
        """The same for two lines about one thing."""
        return self.identity

    def store(self, q: Queries) -> bool:
        """Returns whether it's a new one."""
        return put_charge_point(q, self.identity, self.wanted, datetime.now(UTC)).created


def read_id_tag(text: str) -> str:
    """Raises LineRefused."""
    if _MANGLED.fullmatch(text):
        raise LineRefused(
            f"id_tag {text!r} was rounded by a spreadsheet, and its digits are lost; make its column one of text "
            "before the numbers are entered or the file is opened, and export again"
        )
    return _name({"id_tag": text}, "id_tag")


def _name(cells: Cells, column: str) -> str:
    name = cells[column]
    if not name:
        raise LineRefused(f"{column} is empty")
    return read_printable(name, column, LONGEST_NAME)


def _parent(text: str) -> str | None:
    return read_printable(text, "parent_id_tag", _LONGEST_PARENT) if text else None


def _display_name(text: str) -> str | None:
    """In one line, where a description had several."""
    return read_printable(" ".join(text.split()), "display_name", LONGEST_NAME) or None


def read_short(text: str, column: str, longest: int) -> str:
    """A cell of so many characters at most. Raises LineRefused."""
    if len(text) > longest:
        raise LineRefused(f"{column} has {len(text)} characters, {longest} at most")
    return text


def read_printable(text: str, column: str, longest: int) -> str:
    """The same, without characters that can't be printed. Raises LineRefused."""
    read_short(text, column, longest)
    if not text.isprintable():
        raise LineRefused(f"{column} {text!r} has characters that can't be printed")
    return text


def _status(cells: Cells) -> IdTagStatus | Keep:
    """A tag that SteVe lets start no transaction is a blocked one."""
    columns = cells.keys() & {"status", "max_active_transaction_count", "blocked"}
    if not columns:
        return KEEP
    status = _member(cells.get("status", "") or IdTagStatus.ACCEPTED)
    blocked = _switch(cells.get("blocked", ""), "blocked") or _count(cells) == 0
    return IdTagStatus.BLOCKED if blocked and status is IdTagStatus.ACCEPTED else status


def _member(text: str) -> IdTagStatus:
    by_lower_case = {status.lower(): status for status in IdTagStatus}
    found = by_lower_case.get(text.lower())
    if found is None:
        nearest = get_close_matches(text.lower(), by_lower_case, n=1)
        hint = f"; did you mean {by_lower_case[nearest[0]]}?" if nearest else ""
        raise LineRefused(f"status {text!r} is not one of {', '.join(IdTagStatus)}{hint}")
    return found


def _count(cells: Cells) -> int | None:
    text = cells.get("max_active_transaction_count", "")
    try:
        return int(text) if text else None
    except ValueError:
        raise LineRefused(f"max_active_transaction_count {text!r} is not a whole number") from None


def _switch(text: str, column: str) -> bool | None:
    if not text:
        return None
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise LineRefused(f"{column} {text!r} is neither on nor off; leave it empty for neither") from None


def _expiry_date(text: str) -> datetime | None:
    try:
        return read_time(text, None, through=True) if text else None
    except ValueError as error:
        raise LineRefused(f"expiry_date {error}") from None
