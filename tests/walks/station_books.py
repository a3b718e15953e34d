"""What the books must have of a station that told its transactions by events, made of what got through alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from mcpp.domain.event_gaps import Gap
from tests.walks.stations import Event, Sample, Session, Station

BEGIN: Final = "Transaction.Begin"
END: Final = "Transaction.End"


def judged(station: Station) -> Iterator[str]:
    """Whatever is wrong."""
    central = station.central
    stored = {one.ocpp_transaction_id: one for one in central.transactions().values()}
    yield from (f"{event} was refused" for event in station.refused)
    if len(stored) != sum(bool(session.through) for session in station.sessions):
        yield f"{sorted(map(str, stored))} are in the books"
    for session in station.sessions:
        one = stored.get(session.own_id)
        if one is None:
            if session.through:
                yield f"{session.own_id} isn't in the books"
            continue
        gaps = central.gaps_of(one.transaction_id)
        found = {
            "evse_id": one.evse_id or 0,
            "id_tag": one.id_tag,
            "started_at": one.started_at,
            "meter_start": one.meter_start,
            "gaps": gaps,
        }
        wanted = _reference(session)
        ended = session.ended()
        told = session.told()
        if ended is not None:
            energy_wh = None if one.energy_implausible else one.energy_wh
            found |= {"stop_origin": one.stop_origin, "stopped_at": one.stopped_at, "energy_wh": energy_wh}
            wanted |= {"stop_origin": "charger", "stopped_at": ended.at, "energy_wh": _energy(told, ended)}
        elif told:
            assert session.end_wh is not None
            # At least what was told, and no more than was taken: the next start may have told the rest.
            least, most = told[-1].wh - _first(told).wh, session.end_wh - _first(told).wh
            found |= {"stop_origin": one.stop_origin}
            wanted |= {"stop_origin": "recovered"}
            if one.energy_wh is None or not least <= one.energy_wh <= most:
                yield f"{session.own_id}: {one.energy_wh} Wh, which should be {least} to {most}"
        for name, value in wanted.items():
            if found[name] != value:
                yield f"{session.own_id}: {name} is {found[name]}, which should be {value}"


def _reference(session: Session) -> dict[str, object]:
    """What the events that got through tell together, whatever their order."""
    through, told = session.through, session.told()
    started = next((event for event in through if event.kind == "Started"), None)
    earliest = min([event.at for event in through] + [each.at for each in told if each.context == BEGIN])
    tags = sorted((event.at, event.tag) for event in through if event.tag)
    return {
        "evse_id": session.evse if any(event.names_evse for event in through) else 0,
        "id_tag": tags[0][1] if tags else "",
        "started_at": earliest if started is None else started.at,
        "meter_start": _first(told).wh if told else None,
        "gaps": _gaps(session),
    }


def _first(told: Sequence[Sample]) -> Sample:
    return next((each for each in told if each.context == BEGIN), told[0])


def _energy(told: Sequence[Sample], ended: Event) -> int | None:
    if not told:
        return None
    last = [each for each in told if each.context == END] or [each for each in told if each.at <= ended.at]
    return last[-1].wh - _first(told).wh


def _gaps(session: Session) -> tuple[Gap, ...]:
    numbers = sorted({event.seq_no for event in session.through})
    gaps = [Gap(one + 1, other - 1) for one, other in pairwise(numbers) if other > one + 1]
    if numbers[0] > 0:
        gaps.insert(0, Gap(0, numbers[0] - 1))
    if session.ended() is None:
        gaps.append(Gap(numbers[-1] + 1, None))
    return tuple(gaps)
