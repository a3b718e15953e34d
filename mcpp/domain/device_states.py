"""What a charge point's devices tell at once: events, and among them how its connectors stand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mcpp.domain.device_allowance import within_allowance
from mcpp.domain.device_events import DeviceEvent, note_events
from mcpp.domain.evses import ReportEvseStatus, report_evse_status
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import ChargingSession, Occasion, Result
from mcpp_generated.db.queries import Queries


def note_device_news(
    q: Queries,
    occasion: Occasion,
    events: Sequence[DeviceEvent],
    states: Sequence[ReportEvseStatus],
    memory: Memory,
    *,
    size: int,
    has_problem: bool,
) -> Result[None]:
    """Store events (OCPP 2.0.1 N07), and the states that they tell of (G01); `has_problem`: one of them is no good.

    The events are stored if so many bytes are allowed, the states always.
    """
    noted = within_allowance(q, occasion, memory, size, partial(note_events, events=events)) if events else Result(None)
    happened = [*noted.events]
    left_out = [*noted.left_out]
    session: ChargingSession | None = None
    for state in states:
        reported = report_evse_status(q, occasion, state, memory)
        happened += reported.events
        left_out += reported.left_out
        session = reported.session or session
    if has_problem:
        q.stamp_error(key=occasion.charge_point_key, last_error_at=occasion.at)
    return Result(None, tuple(happened), session, tuple(left_out))
