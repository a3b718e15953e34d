"""What the observer of messages saw a charge point depart in from the contract, on its way into the record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from mcpp.csms.examples import field_of, masked_text, masked_value
from mcpp.csms.version import KnownVersion
from mcpp.domain.conformance import ELSEWHERE, ConformanceBook, Kind, Seen
from mcpp.ocppj.errors import ErrorCode, InvalidAnswer
from mcpp.ocppj.flow import Deviation, Direction, Flow
from mcpp_generated.db.enums import MessageRole

REFUSED: Final = "refused"
"""The rule of what could not be understood: a message that was answered with a CALLERROR, or an answer of no use."""

_KINDS_OF_A_MESSAGE: Final = 50
"""What one message may depart in; what is more of it is only counted."""

_OUR_FAULT: Final = frozenset({ErrorCode.INTERNAL_ERROR, ErrorCode.GENERIC_ERROR, ErrorCode.SECURITY_ERROR})
"""A CALLERROR with one of these says nothing of the CALL."""

_PLACE: Final = re.compile(r"([\w.\[\]]{1,200}): (?=\S)")
"""How the description of a refusal begins that names a place (mcpp.ocppj.repair)."""

_utc_now: Final = partial(datetime.now, UTC)


class ConformanceRecorder:
    """Implements `mcpp.csms.observer.ConformanceObserver`: counts into the book what messages departed in, masked."""

    def __init__(
        self,
        book: ConformanceBook,
        versions: Iterable[KnownVersion],
        handshakes: Mapping[str, str],
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`handshakes`: by the outcome of a connection, the rule by which its handshake was tolerated."""
        self._book = book
        self._handshakes = handshakes
        self._now = now
        self._opaque: dict[str, frozenset[str]] = {}
        self._our_fault: set[str] = set()
        for version in versions:
            self._opaque |= version.opaque
            self._our_fault |= {version.error_codes[code] for code in _OUR_FAULT}

    def tolerated(self, flow: Flow) -> None:
        """Count what was tolerated in a flow, with the last example of each kind."""
        found: dict[tuple[str, str], tuple[int, Deviation]] = {}
        more = 0
        for deviation in flow.deviations:
            place = deviation.rule, field_of(deviation.location)
            times, _ = found.get(place, (0, None))
            if times or len(found) < _KINDS_OF_A_MESSAGE:
                found[place] = times + 1, deviation
            else:
                more += 1
        shown = self._opaque.get(flow.action)
        for (rule, field), (times, deviation) in found.items():
            opaque = shown is not None and field not in shown
            example = masked_value(deviation.received, field, opaque=opaque)
            taken_as = masked_value(deviation.taken_as, field, opaque=opaque)
            self._add(flow.peer.identity, _kind(flow, rule, field), example, taken_as, times)
        if more:
            self._add(flow.peer.identity, ELSEWHERE, times=more)

    def refused(self, flow: Flow, code: str, description: str) -> None:
        """Count a CALL or a frame that could not be understood, unless the fault is ours."""
        if code not in self._our_fault:
            self._refused(flow, description, f"CALLERROR {code}" if code else "")

    def answer_not_understood(self, flow: Flow, error: InvalidAnswer) -> None:
        """Count an answer to a CALL of ours that is of no use."""
        self._refused(flow, str(error), "")

    def connection(self, outcome: str, charge_point_id: str) -> None:
        """Count a handshake that was tolerated."""
        rule = self._handshakes.get(outcome)
        if rule is not None:
            self._add(charge_point_id, Kind("", MessageRole.OTHER, rule, ""))

    def _refused(self, flow: Flow, description: str, taken_as: str) -> None:
        place = _PLACE.match(description)
        field = "" if place is None else field_of(place[1])
        self._add(flow.peer.identity, _kind(flow, REFUSED, field), masked_text(description), taken_as)

    def _add(self, charge_point_id: str, kind: Kind, example: str = "", taken_as: str = "", times: int = 1) -> None:
        now = self._now()
        self._book.add(charge_point_id, kind, Seen(times, now, now, example, taken_as))


def _kind(flow: Flow, rule: str, field: str) -> Kind:
    if not flow.action:
        message = MessageRole.OTHER
    else:
        message = MessageRole.CALL if flow.direction is Direction.IN else MessageRole.ANSWER
    return Kind(masked_text(flow.action)[:50], message, str(rule), field)
