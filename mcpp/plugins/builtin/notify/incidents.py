"""What is told and when: each incident once, and once that it is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from mcpp.reads.attention import Attention, AttentionCode
from mcpp.reads.connector_names import connector_number

_WITHOUT_END: Final = frozenset(
    {
        AttentionCode.UNKNOWN_CARD,
        AttentionCode.RECOVERED,
        AttentionCode.IMPLAUSIBLE,
        AttentionCode.UNMATCHED,
        AttentionCode.DEVIATING,
        AttentionCode.REFUSED_CONNECTION,
    }
)
"""What has happened rather than lasts: nothing gets well by being forgotten."""

_UNSEEN_WHILE_AWAY: Final = frozenset(
    {AttentionCode.FAULTED, AttentionCode.OFFLINE, AttentionCode.NO_METER_VALUES, AttentionCode.RECONNECT_LOOP}
)
"""What nobody can say to be well while the charge point isn't connected, though it may not be in the list: a charge
point is offline and nothing else, and after a restart of the server not even that for a while."""

_TELLING: Final = ("id_tag", "transaction_id", "address")
"""What tells two incidents of one code at one place apart."""


@dataclass(slots=True)
class Incident:
    """Something that needs a person, from when it was seen first until it's over and told."""

    code: AttentionCode
    text: str
    changed_at: datetime
    """When it was first seen, or first missed."""
    is_there: bool = True
    is_told: bool = False

    def as_json(self) -> JsonValue:
        """To be remembered across restarts."""
        return {"code": self.code.value, "text": self.text}


class Incidents:
    """All that goes on, by key."""

    def __init__(self, codes: Iterable[AttentionCode], after: timedelta) -> None:
        """Only of these codes; told once they have lasted so long."""
        self._codes = frozenset(codes)
        self._after = after
        self._known: dict[str, Incident] = {}

    def recall(self, told: Mapping[str, JsonValue], now: datetime) -> None:
        """Take up what was told before a restart."""
        for key, value in told.items():
            if isinstance(value, dict) and (code := value.get("code")) in set(AttentionCode):
                self._known[key] = Incident(
                    AttentionCode(str(code)), str(value.get("text", "")), now, is_there=True, is_told=True
                )

    def missing(self, items: Iterable[Attention]) -> frozenset[str]:
        """The charge points of whose incidents it must be known whether they are connected, to `look`."""
        gone = self._known.keys() - {key_of(item) for item in items}
        return frozenset(_place_of(key) for key in gone if self._known[key].code in _UNSEEN_WHILE_AWAY)

    def look(
        self, items: Iterable[Attention], now: datetime, *, is_complete: bool, away: Collection[str] = frozenset()
    ) -> None:
        """Take in what needs a person now; where that isn't all, what is missing may still be there.

        `away` are charge points, by identity, that aren't connected.
        """
        present = {key_of(item): item for item in items if item.code in self._codes}
        for key, item in present.items():
            known = self._known.get(key)
            if known is None:
                self._known[key] = Incident(item.code, item.text, now)
            elif not known.is_there:
                known.is_there, known.changed_at = True, now
                # What came back before anybody was told that it had gone, never went.
        if not is_complete:
            return
        for key in [key for key in self._known if key not in present]:
            known = self._known[key]
            if not known.is_told:
                del self._known[key]
            elif known.code in _UNSEEN_WHILE_AWAY and _place_of(key) in away:
                known.is_there = True
            elif known.is_there:
                known.is_there, known.changed_at = False, now

    def due(self, now: datetime) -> dict[str, Incident]:
        """Those to tell now, by key: that are new, or over, for long enough."""
        return {
            key: it
            for key, it in self._known.items()
            if it.is_there is not it.is_told and now - it.changed_at >= self._after
        }

    def told(self, key: str) -> Incident | None:
        """It was told; returns it where it goes on."""
        incident = self._known[key]
        if incident.is_there:
            incident.is_told = True
            return incident
        del self._known[key]
        return None


def key_of(item: Attention) -> str:
    """The same for the same incident, however often it is seen."""
    if item.code is AttentionCode.UNKNOWN_CARD:
        return "\n".join((item.code.value, item.params.get("id_tag", "")))  # wherever it's shown
    number = "" if item.connector_id is None else connector_number(item.connector_id, item.evse_id, several=True)
    parts = (item.code.value, item.charge_point_id or "", number)
    return "\n".join((*parts, *(item.params.get(name, "") for name in _TELLING)))


def _place_of(key: str) -> str:
    """The identity of an incident's charge point, or an empty one."""
    return key.split("\n")[1]


def message(due: Iterable[Incident]) -> tuple[str, str]:
    """Title and text of what is told at once."""
    begun = [it.text for it in due if it.is_there]
    over = [f"Well again: {it.text}" for it in due if not it.is_there and it.code not in _WITHOUT_END]
    lines = [*begun, *over]
    if not lines:
        return "", ""
    title = lines[0] if len(lines) == 1 else f"{len(begun)} need you" if begun else f"{len(over)} well again"
    return f"MCPP: {title}"[:200], "\n".join(lines)
