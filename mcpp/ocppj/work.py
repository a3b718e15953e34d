"""What is shared while one payload is repaired: what was noted of it, and where things stand in it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto
from typing import Final, TypeAlias

from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Deviation
from mcpp.ocppj.rules import Rule, brief

MOST_TOLD: Final = 250
"""Deviations of one payload that are told one by one; of all others only how many there are."""

_STEPS: Final = 2
"""That a departure counts for, at least."""

Place: TypeAlias = "tuple[Place | None, str | int]"
"""Where a value stands: its parent's place, and its name or index there."""


class Work:
    """One payload that is read: what was noted, and how much of it there is."""

    __slots__ = ("_blamed", "_deviations", "_noted", "payload", "received_at", "steps", "untold")

    def __init__(self, payload: bytes, received_at: datetime) -> None:
        self.payload = payload
        self.received_at = received_at
        self.steps = 0
        """What was done so far, by the time that it took: an entry of a list is one."""
        self.untold: list[tuple[Rule, Place | None, str, object]] = []
        """Moments to be found nearby: what will be noted of them."""
        self._blamed: tuple[ErrorCode, str, Place | None, str | int] = (ErrorCode.FORMAT_VIOLATION, "", None, "")
        self._noted = 0
        self._deviations: list[Deviation] = []

    def note(self, rule: Rule, parent: Place | None, key: str | int, received: object, taken_as: object) -> None:
        """Note a departure at a place: what came, and what was made of it; each may be ABSENT."""
        self._noted += 1
        self.steps += _STEPS
        if self._noted <= MOST_TOLD:
            came = "" if received is ABSENT else brief(received)
            made = "" if taken_as is ABSENT else brief(taken_as)
            self._deviations.append(Deviation(rule, spell(parent, key), came, made))

    def note_more(self, times: int) -> None:
        """Count departures that aren't told."""
        self._noted += times
        self.steps += 1

    def tells(self) -> bool:
        """Whether the next departure will be told."""
        return self._noted < MOST_TOLD

    def told(self) -> list[Deviation]:
        """What was noted, with the number of those that weren't told."""
        if (more := self._noted - MOST_TOLD) > 0:
            return [*self._deviations, Deviation(Rule.MORE_DEVIATIONS, "", str(more), "")]
        return self._deviations

    def blame(self, code: ErrorCode, problem: str, parent: Place | None, key: str | int) -> None:
        """Say why a model can't be read."""
        self._blamed = code, problem, parent, key

    def fault(self) -> CallFault:
        """For a message that can't be read."""
        code, problem, parent, key = self._blamed
        where = spell(parent, key)
        return CallFault(code, f"{where}: {problem}" if where else problem)


class Absent(Enum):
    ABSENT = auto()


ABSENT: Final = Absent.ABSENT
"""What is taken of a value that counts as absent, and what came where nothing came."""


def spell(parent: Place | None, key: str | int) -> str:
    """A place as people read it: `meterValue[0].sampledValue[2].value`."""
    steps = [key]
    while parent is not None:
        parent, step = parent
        steps.append(step)
    return spell_location(tuple(reversed(steps)))


def spell_location(location: tuple[int | str, ...]) -> str:
    """As `spell`, from the outermost step on."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step[:_LONGEST_STEP]
    return text


_LONGEST_STEP: Final = 60
"""Characters of a name in a location: a charge point may make one up."""
