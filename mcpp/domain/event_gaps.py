"""What is missing of a transaction's events, by the numbers that its charger counts them with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from mcpp_generated.db.enums import EventKind, StopOrigin


class Gap(NamedTuple):
    """Numbers in a row that never came."""

    first: int
    last: int | None
    """None: all that may follow, since the end was never told."""


class Counted(Protocol):
    """An event, as far as counting goes."""

    @property
    def seq_no(self) -> int: ...
    @property
    def kind(self) -> EventKind: ...


def gaps_of(events: Sequence[Counted], *, is_over: bool) -> tuple[Gap, ...]:
    """What is missing before, between and, where the transaction `is_over`, after the events of one transaction.

    A charger that gives all of them the same number doesn't count: then nothing can be missed between them. The count
    may begin anywhere, with the event that tells of the beginning.
    """
    if not events:
        return ()
    numbers = sorted({event.seq_no for event in events})
    gaps = [Gap(before + 1, after - 1) for before, after in pairwise(numbers) if after > before + 1]
    first, last = numbers[0], numbers[-1]
    if first > 0 and all(event.kind is not EventKind.STARTED for event in events):
        gaps.insert(0, Gap(0, first - 1))
    if is_over and all(event.kind is not EventKind.ENDED for event in events):
        gaps.append(Gap(last + 1, None))
    return tuple(gaps)


def gaps_told(events: Sequence[Counted], stop_origin: StopOrigin | None) -> tuple[Gap, ...]:
    """The same of a stored transaction: one that recovery or an operator has ended was never told to the end."""
    return gaps_of(events, is_over=stop_origin in {StopOrigin.RECOVERED, StopOrigin.OPERATOR})
