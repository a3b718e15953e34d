"""Learning a card: the next unknown one that is presented at a chosen charge point is offered to a person for a name.

It gets no start there while it's being learnt: whoever holds it up wants it named. Cards that are known charge as ever,
and so does whatever is charging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from mcpp.domain.authorization import Authorization, AuthorizationPolicy, AuthorizationStatus
from mcpp.domain.events import CardLearnt, Event
from mcpp.domain.memory import NO_EVSE
from mcpp.domain.people import folded

LEARNING_TIME: Final = timedelta(seconds=60)

_MOST: Final = 100
"""Charge points of which it's remembered, those that began last."""


class LearningState(StrEnum):
    """How far a charge point is with learning a card."""

    OFF = "off"
    WAITING = "waiting"
    LEARNT = "learnt"
    OVER = "over"
    """No unknown card came in time."""


class Learning(NamedTuple):
    """How far a charge point is with learning a card."""

    charge_point_id: str
    state: LearningState = LearningState.OFF
    until: datetime | None = None
    """How long it waits for a card, or keeps the learnt one from charging."""
    id_tag: str | None = None
    learnt_at: datetime | None = None


class CardLearning:
    """The charge points that learn a card. Used on the event loop only."""

    __slots__ = ("_by_charge_point", "_now", "_policy", "_publish")

    def __init__(
        self, now: Callable[[], datetime], publish: Callable[[Iterable[Event]], None], policy: AuthorizationPolicy
    ) -> None:
        self._now = now
        self._publish = publish
        self._policy = policy
        self._by_charge_point: dict[str, Learning] = {}

    def begin(self, charge_point_id: str) -> Learning:
        """Wait for a card from now on, also where it waits or has learnt one already."""
        self._by_charge_point.pop(charge_point_id, None)
        until = self._now() + LEARNING_TIME
        begun = self._by_charge_point[charge_point_id] = Learning(charge_point_id, LearningState.WAITING, until)
        if len(self._by_charge_point) > _MOST:
            del self._by_charge_point[next(iter(self._by_charge_point))]
        return begun

    def end(self, charge_point_id: str) -> None:
        """Wait no more, and let the learnt card be as any other."""
        self._by_charge_point.pop(charge_point_id, None)

    def state_of(self, charge_point_id: str) -> Learning:
        """How far it is."""
        known = self._by_charge_point.get(charge_point_id)
        if known is None:
            return Learning(charge_point_id)
        return known._replace(state=LearningState.OVER) if self._is_late(known) and not known.id_tag else known

    def verdict(
        self,
        charge_point_id: str,
        correlation_id: str,
        connector_id: int | None,
        id_tag: str,
        stored: Authorization,
        evse_id: int = NO_EVSE,
    ) -> Authorization | None:
        """Invalid for a card that is being learnt, or was a moment ago and has no name yet; None for any other.

        `stored` is what the database says of the card. Auto-start's tag is no card.
        """
        known = self._by_charge_point.get(charge_point_id)
        if known is None or stored.stored or self._is_late(known) or self._policy.is_auto_start(id_tag) or not id_tag:
            return None
        if known.id_tag is None:
            learnt_at = self._now()
            self._by_charge_point[charge_point_id] = known._replace(
                state=LearningState.LEARNT, id_tag=id_tag, learnt_at=learnt_at
            )
            self._publish(
                [
                    CardLearnt(
                        charge_point_id=charge_point_id,
                        correlation_id=correlation_id,
                        at=learnt_at,
                        connector_id=connector_id,
                        id_tag=id_tag,
                        evse_id=evse_id,
                    )
                ]
            )
        elif folded(known.id_tag) != folded(id_tag):
            return None
        return replace(stored, status=AuthorizationStatus.INVALID)

    def _is_late(self, known: Learning) -> bool:
        return known.until is None or self._now() >= known.until
