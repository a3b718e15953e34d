"""The conformance record: what each charge point departs in from the contract, how often, and as what it is taken.

Departures are gathered in memory and written together every few seconds: a crash loses at most those. A departure
belongs to the firmware that the charge point has when it's written. At a boot, which may bring another one, what waits
is written with the one before, so that no firmware is blamed for an older one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from mcpp.domain.events import ChargePointForgotten, Event
from mcpp_generated.db.enums import MessageRole
from mcpp_generated.db.models import AddDeparturesParams, GetChargePointFirmwareRow
from mcpp_generated.db.queries import Queries

TEXT_LIMIT: Final = 200
"""Characters of each text that is kept; a longer one is cut."""

KINDS_PER_CHARGE_POINT: Final = 200
"""Rows of one charge point. A new one takes the place of the oldest of an earlier firmware, else it is ELSEWHERE."""

KINDS_IN_MEMORY: Final = 20_000
"""What may wait for the next writing, of all charge points together; what is more is ELSEWHERE."""

AT_ONCE: Final = 200
"""Rows of one unit of work: some milliseconds of the writer's."""


class Kind(NamedTuple):
    """A kind of departure: by which rule it was recognised, and where it was."""

    action: str
    """Empty where it was in no message."""
    message: MessageRole
    rule: str
    field: str
    """The place in the payload without list indexes, `meterValue[].timestamp`; empty where it's the whole message."""


ELSEWHERE: Final = Kind("_OTHER", MessageRole.OTHER, "_OTHER", "")
"""Where departures are counted for which there is no room."""


@dataclass(slots=True)
class Seen:
    """How often departures of one kind were seen, and the last of them; texts are masked and within TEXT_LIMIT."""

    times: int
    first_at: datetime
    last_at: datetime
    example: str
    """What came; empty where that isn't known."""
    taken_as: str
    """What was made of it; empty where it counts as absent."""

    def add(self, newer: Seen) -> None:
        """Count in what was seen later."""
        self.times += newer.times
        self.last_at = newer.last_at
        self.example, self.taken_as = newer.example, newer.taken_as


class Waiting(NamedTuple):
    """Departures of one kind that wait to be written."""

    charge_point_id: str
    kind: Kind
    seen: Seen


class ConformanceBook:
    """The departures that wait to be written. Used on the event loop only; a subscriber of events."""

    kinds = (ChargePointForgotten,)

    def __init__(self, limit: int = KINDS_IN_MEMORY) -> None:
        """`limit`: how many kinds of all charge points may wait."""
        self._limit = limit
        self._waiting: dict[str, dict[Kind, Seen]] = {}
        self._count = 0

    def __call__(self, event: Event) -> None:
        """A charge point is forgotten, and what it did with it."""
        if isinstance(event, ChargePointForgotten):
            self._count -= len(self._waiting.pop(event.charge_point_id, ()))

    def add(self, charge_point_id: str, kind: Kind, seen: Seen) -> None:
        """Count departures in."""
        kinds = self._waiting.setdefault(charge_point_id, {})
        known = kinds.get(kind)
        if known is None and (len(kinds) >= KINDS_PER_CHARGE_POINT or self._count >= self._limit):
            kind, seen = ELSEWHERE, _without_texts(seen)
            known = kinds.get(kind)
        if known is None:
            kinds[kind] = seen
            self._count += 1
        else:
            known.add(seen)

    def take(self) -> list[Waiting]:
        """All that waits, to be written; the book is empty afterwards."""
        taken = [
            Waiting(identity, kind, seen) for identity, kinds in self._waiting.items() for kind, seen in kinds.items()
        ]
        self._waiting.clear()
        self._count = 0
        return taken

    def take_of(self, charge_point_id: str) -> list[Waiting]:
        """What waits of one charge point, to be written; the book has none of it afterwards."""
        kinds = self._waiting.pop(charge_point_id, {})
        self._count -= len(kinds)
        return [Waiting(charge_point_id, kind, seen) for kind, seen in kinds.items()]

    def put_back(self, taken: Sequence[Waiting]) -> None:
        """Departures that could not be written wait again, in front of those that came since."""
        newer = self.take()
        for waiting in (*taken, *newer):
            self.add(*waiting)


def write_departures(q: Queries, portion: Sequence[Waiting]) -> None:
    """Count departures into their charge points' records; those of a charge point that is forgotten are forgotten."""
    by_charge_point: dict[str, list[Waiting]] = {}
    for waiting in portion:
        by_charge_point.setdefault(waiting.charge_point_id, []).append(waiting)
    for identity, found in by_charge_point.items():
        charge_point = q.get_charge_point_firmware(identity=identity)
        if charge_point is not None:
            _write(q, _Firmware.of(charge_point), charge_point.rows_kept, found)


def has_told_firmware(q: Queries, charge_point_id: str) -> bool:
    """Whether it has ever said of which vendor and firmware it is."""
    charge_point = q.get_charge_point_firmware(identity=charge_point_id)
    return charge_point is not None and charge_point.vendor is not None


class _Firmware(NamedTuple):
    """Whose departures they are: the first columns of the record's key."""

    charge_point_key: int
    vendor: str
    model: str
    firmware_version: str

    @classmethod
    def of(cls, row: GetChargePointFirmwareRow) -> _Firmware:
        said = ((text or "")[:TEXT_LIMIT] for text in (row.vendor, row.model, row.firmware_version))
        return cls(row.key, *said)


def _write(q: Queries, firmware: _Firmware, rows: int, found: Sequence[Waiting]) -> None:
    if rows + len(found) <= KINDS_PER_CHARGE_POINT:
        q.add_departures(_row(firmware, kind, seen) for _, kind, seen in found)
        return
    for _, kind, seen in found:
        is_new = kind != ELSEWHERE and not q.count_departure_rows(**firmware._asdict(), **kind._asdict())
        if is_new and rows >= KINDS_PER_CHARGE_POINT:
            made_room = q.drop_oldest_departure(**firmware._asdict())
            is_new = made_room == 1
            rows -= made_room
            if not made_room:
                kind, seen = ELSEWHERE, _without_texts(seen)  # noqa: PLW2901
        rows += is_new
        q.add_departures([_row(firmware, kind, seen)])


def _row(firmware: _Firmware, kind: Kind, seen: Seen) -> AddDeparturesParams:
    return AddDeparturesParams(*firmware, *kind, seen.times, seen.first_at, seen.last_at, seen.example, seen.taken_as)


def _without_texts(seen: Seen) -> Seen:
    return Seen(seen.times, seen.first_at, seen.last_at, "", "")
