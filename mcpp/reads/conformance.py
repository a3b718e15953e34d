"""The conformance record: what chargers depart in from the contract, one by one or by vendor, model and firmware."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter

from mcpp.reads.paging import Cursors, Page, PageQuery
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import MessageRole
from mcpp_generated.db.models import Departure as DepartureRow
from mcpp_generated.db.models import ListDeparturesRow
from mcpp_generated.db.queries import Queries

_PAGE: Final = 1_000
"""Rows in memory at a time, where all are read."""

_CURSOR_LIMIT: Final = 8_000
"""A cursor holds seven texts, which chargers make up within the record's bounds."""

_Key: TypeAlias = tuple[str, str, str, str, str, str, str]


class ConformanceQuery(PageQuery):
    """Parameters of the list."""

    cursor: str | None = Field(None, max_length=_CURSOR_LIMIT, description="next_cursor of the page before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What a charge point departed in from the contract, by rule and place, while it had one firmware."""

    vendor: str | None
    """As the charge point said when it booted, as model and firmware are; None where it didn't."""
    model: str | None
    firmware_version: str | None
    message: MessageRole
    action: str | None
    """None where it was in no message of an action, such as in a handshake."""
    rule: str
    field: str | None
    """The place in the payload, without list indexes; None where it was the message as a whole."""
    count: int
    first_at: datetime
    last_at: datetime
    example: str | None
    """What came last, cut and with secrets masked; None where that isn't known."""
    taken_as: str | None
    """What was made of that; None where it counted as absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDeparture(Departure):
    """The same of all charge points of one vendor, model and firmware."""

    charge_points: int
    """How many of them do it."""


class _Row(Protocol):
    """What both kinds of rows have."""

    @property
    def vendor(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def firmware_version(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def message(self) -> MessageRole: ...
    @property
    def rule(self) -> str: ...
    @property
    def field(self) -> str: ...


R = TypeVar("R", bound=_Row)


def _key_of(row: _Row) -> _Key:
    return row.vendor, row.model, row.firmware_version, row.action, row.message.value, row.rule, row.field


_BEFORE_ALL: Final[_Key] = ("", "", "", "", "", "", "")
_CURSORS: Final[Cursors[ListDeparturesRow, _Key]] = Cursors(TypeAdapter(_Key), _BEFORE_ALL, _key_of)
_CURSORS_OF_ONE: Final[Cursors[DepartureRow, _Key]] = Cursors(TypeAdapter(_Key), _BEFORE_ALL, _key_of)


async def list_page(pool: ReaderPool, query: ConformanceQuery) -> Page[SharedDeparture]:
    """What charge points depart in, by vendor, model and firmware. Raises BadCursor."""
    after = _after(_CURSORS.start(query))
    async with pool.reader() as q:
        rows = await q.list_departures(**after, page_size=query.limit + 1)
    return _CURSORS.page(rows, query).map(_shared)


async def list_page_of(pool: ReaderPool, charge_point_id: str, query: ConformanceQuery) -> Page[Departure] | None:
    """What one charge point departs in, by firmware; None where it's unknown. Raises BadCursor."""
    after = _after(_CURSORS_OF_ONE.start(query))
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        rows = await q.list_departures_of_charge_point(
            charge_point_key=charge_point.key, **after, page_size=query.limit + 1
        )
    return _CURSORS_OF_ONE.page(rows, query).map(_departure)


def list_all(q: Queries) -> list[SharedDeparture]:
    """As `list_page`, all of it: for commands."""
    return [_shared(row) for row in _each(lambda after: q.list_departures(**_after(after), page_size=_PAGE))]


def list_all_of(q: Queries, charge_point_id: str) -> list[Departure] | None:
    """As `list_page_of`, all of it: for commands."""
    charge_point = q.get_charge_point(identity=charge_point_id)
    if charge_point is None:
        return None
    key = charge_point.key
    return [
        _departure(row)
        for row in _each(
            lambda after: q.list_departures_of_charge_point(charge_point_key=key, **_after(after), page_size=_PAGE)
        )
    ]


def _each(read: Callable[[_Key], Sequence[R]]) -> Iterator[R]:
    after = _BEFORE_ALL
    while rows := read(after):
        yield from rows
        after = _key_of(rows[-1])


def _after(key: _Key) -> dict[str, str]:
    return dict(zip(("vendor", "model", "firmware_version", "action", "message", "rule", "field"), key, strict=True))


def _departure(row: DepartureRow) -> Departure:
    return Departure(
        vendor=row.vendor or None,
        model=row.model or None,
        firmware_version=row.firmware_version or None,
        message=row.message,
        action=row.action or None,
        rule=row.rule,
        field=row.field or None,
        count=row.times,
        first_at=row.first_at,
        last_at=row.last_at,
        example=row.example or None,
        taken_as=row.taken_as or None,
    )


def _shared(row: ListDeparturesRow) -> SharedDeparture:
    return SharedDeparture(
        vendor=row.vendor or None,
        model=row.model or None,
        firmware_version=row.firmware_version or None,
        message=row.message,
        action=row.action or None,
        rule=row.rule,
        field=row.field or None,
        count=row.times,
        first_at=row.first_at,
        last_at=row.last_at,
        example=row.example or None,
        taken_as=row.taken_as or None,
        charge_points=row.charge_points,
    )
