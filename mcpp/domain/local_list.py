"""A charge point's local authorization list: its version, and the updates that it lacks (OCPP 1.6 §3.5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from mcpp.domain.authorization import Authorization, verdict_on
from mcpp.domain.configuration import as_positive, positive_number
from mcpp.domain.errors import Conflict
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.variables import VariableRef
from mcpp_generated.db.models import IdTag
from mcpp_generated.db.queries import Queries

_LARGEST_VERSION = 2**31 - 1


_HELD: Final = "LocalAuthListMaxLength"
_AT_ONCE: Final = "SendLocalListMaxLength"
"""Configuration keys (OCPP 1.6 §9.2)."""
_HELD_IN_MODEL: Final = VariableRef("LocalAuthListCtrlr", "Entries").key
"""Its upper limit (OCPP 2.0.1 part 2, appendix 3)."""
_AT_ONCE_IN_MODEL: Final = VariableRef("LocalAuthListCtrlr", "ItemsPerMessage").key


class _Limit(NamedTuple):
    limit: int
    named_by: str


class ListTooLong(Conflict):
    """More id tags are stored than the charge point can hold."""

    def __init__(self, stored: int, limit: int, named_by: str) -> None:
        super().__init__(f"{stored} id tags are stored, the charge point holds {limit} ({named_by})")
        self.stored = stored
        self.limit = limit


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An id tag in the list, with the verdict on it."""

    id_tag: str
    authorization: Authorization
    token_type: str | None = None
    """As StoredTag has it."""


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
    held, at_once = _limits(q, charge_point_key)
    if held is not None and len(tags) > held.limit:
        raise ListTooLong(len(tags), *held)
    entries = [ListEntry(tag.id_tag, verdict_on(tag, now), tag.token_type) for tag in tags]
    size = at_once or max(len(entries), 1)
    # An empty list is sent too: it clears the charge point's.
    parts = [entries[start : start + size] for start in range(0, len(entries), size)] or [[]]
    first = max(current_version, 0) + 1
    if first + len(parts) - 1 > _LARGEST_VERSION:
        first = 1
    return [ListUpdate(first + number, full=number == 0, entries=part) for number, part in enumerate(parts)]


def _limits(q: Queries, charge_point_key: int) -> tuple[_Limit | None, int | None]:
    """How many entries the charge point holds, and takes at once, by its configuration keys or its device model."""
    held = positive_number(q, charge_point_key, _HELD)
    if held is not None:
        return _Limit(held, _HELD), positive_number(q, charge_point_key, _AT_ONCE)
    entries = q.get_variable(charge_point_key=charge_point_key, key=_HELD_IN_MODEL)
    most = None if entries is None else entries.max_limit
    at_once = q.get_variable(charge_point_key=charge_point_key, key=_AT_ONCE_IN_MODEL)
    return (
        None if most is None or most < 1 else _Limit(int(most), _HELD_IN_MODEL),
        positive_number(q, charge_point_key, _AT_ONCE)
        if at_once is None or at_once.value is None
        else as_positive(at_once.value),
    )


def _length(tag: IdTag) -> int:
    return max(len(tag.id_tag), len(tag.parent_id_tag or ""))
