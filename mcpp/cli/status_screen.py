"""What `mcpp status` shows, as lines of a terminal: what needs somebody, then the fleet in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from mcpp.cli.status_data import ChargePoint, Connector, Fleet, Session, Summary
from mcpp.domain.memory import NO_EVSE
from mcpp.reads.attention import Gravity
from mcpp.reads.connector_names import connector_mark, has_several
from mcpp.reads.shown_state import ShownState
from mcpp.reads.terminal_text import fitted, padded, printable, width_of
from mcpp.story.phrases import duration_text

_GAP: Final = 2
_LONGEST_NAME: Final = 32
_SHORTEST_NAME: Final = 12

_STATES: Final[Mapping[ShownState, tuple[str, str, str | None]]] = {
    ShownState.FAULTED: ("✖", "fault", "red"),
    ShownState.OFFLINE: ("◌", "offline", "red"),
    ShownState.CHARGING: ("●", "charging", "green"),
    ShownState.PLUGGED_IN: ("◐", "plugged in", "cyan"),
    ShownState.RESERVED: ("◇", "reserved", "cyan"),
    ShownState.UNAVAILABLE: ("–", "out of service", "yellow"),
    ShownState.FREE: ("○", "free", None),
    ShownState.NEVER_CONNECTED: ("·", "never connected", None),
}
"""Sign, word and colour of each, in the order in which they are shown where there is no room for all."""

_GRAVITIES: Final[Mapping[Gravity, tuple[str, str | None]]] = {
    Gravity.URGENT: ("✖", "red"),
    Gravity.WARNING: ("!", "yellow"),
    Gravity.NOTICE: ("·", None),
}

_RANKS: Final = {state: rank for rank, state in enumerate(_STATES)}

Paint = Callable[[str, str | None, bool, bool], str]
"""Colours a text: its colour, whether it's bold and whether it's dim."""


def plain(text: str, _: str | None, __: bool, ___: bool) -> str:
    """Without colours."""
    return text


class _Cells(NamedTuple):
    """A row of the table."""

    name: str
    state: ShownState
    power: str
    energy: str
    since: str
    who: str


_HEADINGS: Final = ("Charger", "State", "Power", "Energy", "Since", "Card")
_ARE_NUMBERS: Final = (False, False, True, True, True, False)
_LEFT_OUT_FIRST: Final = (5, 3, 4, 2)
"""Columns that a narrow terminal does without, in this order."""


def screen(
    fleet: Fleet, *, width: int | None, height: int | None, paint: Paint, note: str | None = None
) -> Iterator[str]:
    """Lines of at most `width` columns, at most `height` of them; None for as many as it takes.

    `note`: something to be said beside it, such as that the server doesn't answer.
    """
    head = list(_head(fleet, width, paint))
    if note is not None:
        head.append(paint(_fit(note, width), "yellow", False, False))
    room = None if height is None else height - len(head) - 4
    attention = list(_attention(fleet, width, paint, None if room is None else max(2, room // 3)))
    if attention:
        head += ["", *attention]
    rows = [cells for point in fleet.charge_points for cells in _rows_of(point, fleet)]
    left = len(rows)
    if height is not None and len(rows) > max(1, height - len(head) - 2):
        # The others are the ones that nothing happens at.
        rows.sort(key=lambda cells: _RANKS[cells.state])
        rows = rows[: max(1, height - len(head) - 3)]
    yield from head[:height]
    if rows:
        yield ""
        yield from _table(rows, width, paint)
    if left > len(rows):
        yield paint(_fit(f"… and {left - len(rows)} more", width), None, False, True)


def _head(fleet: Fleet, width: int | None, paint: Paint) -> Iterator[str]:
    summary = fleet.summary
    sentence, color = _sentence(summary)
    yield paint(_fit(sentence, width), color, True, False)
    facts = [
        f"{summary.power_w / 1000:.1f} kW now",
        f"{_kwh(summary.energy_today_wh)} today",
        f"{_kwh(summary.energy_month_wh)} this month",
    ]
    if summary.sessions_running:
        facts.insert(1, f"{_kwh(summary.energy_running_wh)} in {_count(summary.sessions_running, 'session')}")
    yield _fit(" · ".join(facts), width)


def _sentence(summary: Summary) -> tuple[str, str | None]:
    """How it stands, in one."""
    every, need = summary.counts.charge_points, summary.counts.need_attention
    others = any(it.charge_point_id is None and it.gravity is not Gravity.NOTICE for it in summary.attention)
    if need:
        verb = "needs" if need == 1 else "need"
        return f"{need} of {_count(every, 'charger')} {verb} you", "red"
    if others:
        return f"The server needs you; {_count(every, 'charger')}", "yellow"
    if not every:
        return "No charger has connected yet", None
    if gone := summary.counts.offline:
        # For less time than makes it an attention; but nobody calls that well.
        return f"{gone} of {_count(every, 'charger')} {'is' if gone == 1 else 'are'} offline", "yellow"
    return ("The charger is well" if every == 1 else f"All {every} chargers are well"), "green"


def _attention(fleet: Fleet, width: int | None, paint: Paint, most: int | None) -> Iterator[str]:
    items, total = fleet.summary.attention, fleet.summary.attention_total
    shown = items if most is None or total <= most else items[: most - 1]
    for it in shown:
        sign, color = _GRAVITIES[it.gravity]
        since = _span(fleet.now - it.since)
        text = printable(it.text)
        if width is None:
            yield f"{sign} {text}  {since}"
            continue
        room = width - len(sign) - 1 - len(since) - _GAP
        if room < _SHORTEST_NAME:
            yield paint(fitted(f"{sign} {text}", width), color, False, False)
            continue
        yield (
            paint(sign, color, True, False)
            + " "
            + padded(fitted(text, room), room)
            + paint(" " * _GAP + since, None, False, True)
        )
    if total > len(shown):
        yield paint(_fit(f"… and {total - len(shown)} more", width), None, False, True)


def _rows_of(point: ChargePoint, fleet: Fleet) -> Iterator[_Cells]:
    name, shown = printable(point.display_name or point.id), point.shown
    numbers = [(connector.evse_id or NO_EVSE, connector.connector_id) for connector in shown]
    for connector in shown:
        session = None if connector.transaction_id is None else fleet.sessions.get(connector.transaction_id)
        energy = None if session is None else session.energy_wh
        evse_id = connector.evse_id or NO_EVSE
        mark = connector_mark(connector.connector_id, evse_id, several=has_several(evse_id, numbers))
        yield _Cells(
            name=name if len(shown) == 1 else f"{name} {mark}",
            state=connector.state,
            power="" if connector.power_w is None else f"{connector.power_w / 1000:.1f} kW",
            energy="" if energy is None else _kwh(energy),
            since=_since(point, connector, session, fleet),
            who="" if session is None else printable(session.id_tag),
        )


def _since(point: ChargePoint, connector: Connector, session: Session | None, fleet: Fleet) -> str:
    if connector.state is ShownState.OFFLINE:
        began = point.seen_at
    elif session is not None and session.duration_s is not None:
        return _span(timedelta(seconds=session.duration_s) + fleet.age)
    else:
        began = connector.status_began_at
    return "" if began is None else _span(fleet.now - began)


def _table(rows: Sequence[_Cells], width: int | None, paint: Paint) -> Iterator[str]:
    texts = [(row.name, f"{_STATES[row.state][0]} {_STATES[row.state][1]}", *row[2:]) for row in rows]
    widths = [max(map(width_of, column)) for column in zip(_HEADINGS, *texts, strict=True)]
    # What nobody has isn't shown.
    kept = [number for number in range(len(_HEADINGS)) if number < 2 or any(row[number] for row in texts)]
    widths[0] = min(widths[0], _LONGEST_NAME) if width is not None else widths[0]
    if width is not None:
        for number in _LEFT_OUT_FIRST:
            missing = sum(widths[it] + _GAP for it in kept) - _GAP - width
            if missing <= widths[0] - _SHORTEST_NAME:
                break
            kept = [it for it in kept if it != number]
        missing = sum(widths[it] + _GAP for it in kept) - _GAP - width
        widths[0] -= max(0, min(missing, widths[0] - 1))

    def line(cells: Sequence[str], row: _Cells | None) -> str:
        parts, room = [], width
        last = max(number for number in kept if cells[number])
        for number in kept[: kept.index(last) + 1]:
            if room is not None and room <= 0:
                break
            own = widths[number] if room is None else min(widths[number], room)
            text = padded(fitted(cells[number], own), own, right=_ARE_NUMBERS[number])
            if number == last:
                text = text.rstrip()
            if row is None:
                text = paint(text, None, False, True)
            elif number == 1:
                text = paint(text, _STATES[row.state][2], False, row.state is ShownState.NEVER_CONNECTED)
            parts.append(text)
            room = None if room is None else room - own - _GAP
        return (" " * _GAP).join(parts)

    yield line(_HEADINGS, None)
    for row, cells in zip(rows, texts, strict=True):
        yield line(cells, row)


def _fit(text: str, width: int | None) -> str:
    return text if width is None else fitted(text, width)


def _span(span: timedelta) -> str:
    """In its two largest units; less than ten seconds are just now."""
    return duration_text(span) if span >= timedelta(seconds=10) else "now"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _kwh(wh: int) -> str:
    return f"{wh / 1000:.1f} kWh"
