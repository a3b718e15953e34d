"""A charge point's local authorization list: its version, and the updates that it lacks (OCPP 1.6 §3.5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.authorization import Authorization, verdict_on
from mcpp.domain.configuration import positive_number
from mcpp.domain.errors import Conflict
from mcpp.domain.occasion import Occasion, Result
from mcpp_generated.db.models import IdTag
from mcpp_generated.db.queries import Queries

_LARGEST_VERSION = 2**31 - 1


class ListTooLong(Conflict):
    """More id tags are stored than the charge point can hold."""

    def __init__(self, stored: int, limit: int) -> None:
        super().__init__(f"{stored} id tags are stored, the charge point holds {limit} (LocalAuthListMaxLength)")
        self.stored = stored
        self.limit = limit


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An id tag in the list, with the verdict on it."""

    id_tag: str
    authorization: Authorization


@dataclass(frozen=True, slots=True)
class ListUpdate:
    """One message to the charge point: the whole list, or an addition to it (OCPP 1.6 §5.15)."""

    version: int
    full: bool
    entries: Sequence[ListEntry]


def note_version(q: Queries, occasion: Occasion, version: int) -> Result[None]:
    """Keep the version of the list that a charge point has."""
    q.put_local_list_version(charge_point_key=occasion.charge_point_key, version=version, known_at=occasion.at)
    return Result(None)


def plan_updates(
    q: Queries, charge_point_key: int, now: datetime, *, current_version: int, longest_id_tag: int
) -> list[ListUpdate]:
    """What brings a list in line with the stored tags, whatever their status: the list goes before the cache.

    Tags over `longest_id_tag` characters, which the charge point's version of OCPP can't carry, stay out of it.
    Raises ListTooLong.
    """
    tags = [tag for tag in q.list_all_id_tags() if _length(tag) <= longest_id_tag]
    limit = positive_number(q, charge_point_key, "LocalAuthListMaxLength")
    if limit is not None and len(tags) > limit:
        raise ListTooLong(len(tags), limit)
    entries = [ListEntry(tag.id_tag, verdict_on(tag, now)) for tag in tags]
    size = positive_number(q, charge_point_key, "SendLocalListMaxLength") or max(len(entries), 1)
    # An empty list is sent too: it clears the charge point's.
    parts = [entries[start : start + size] for start in range(0, len(entries), size)] or [[]]
    first = max(current_version, 0) + 1
    if first + len(parts) - 1 > _LARGEST_VERSION:
        first = 1
    return [ListUpdate(first + number, full=number == 0, entries=part) for number, part in enumerate(parts)]


def _length(tag: IdTag) -> int:
    return max(len(tag.id_tag), len(tag.parent_id_tag or ""))
