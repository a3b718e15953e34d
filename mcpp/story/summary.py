"""Rows of messages that come again and again, each summed up in one entry."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from mcpp.phrases import Phrase, chained, verbatim
from mcpp.story.model import Entry, Kind, Routine, Source, Tone
from mcpp.story.phrases import duration_text, energy_text, power_text

_STRETCHES: Final = 12
"""About so many entries sum up a session's charging, however long it was."""

_LENGTHS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440))

_SOON: Final = timedelta(seconds=10)
"""How far a charger's clock and ours may be apart for a reading and the message that brought it."""

_BEHIND: Final = timedelta(microseconds=1)
"""Log lines have milliseconds: this sorts behind its message and whatever else was written in the same one."""

_SHORTEST_FOR_POWER: Final = timedelta(seconds=50)
"""Over less, energy in whole Wh says little about power."""


def at_their_messages(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with each reading of the database at the message that brought it, where one came soon."""
    messages = sorted(
        entry.at for entry in entries if entry.kind is Kind.MESSAGE and entry.routine is Routine.METER_VALUES
    )
    return [_brought(entry, messages) if entry.kind is Kind.METER else entry for entry in entries]


def _brought(reading: Entry, messages: Sequence[datetime]) -> Entry:
    place = bisect_left(messages, reading.at)
    nearest = min(messages[max(place - 1, 0) : place + 1], key=lambda at: abs(at - reading.at), default=reading.at)
    return replace(reading, at=nearest + _BEHIND) if abs(nearest - reading.at) <= _SOON else reading


def summarized(entries: Sequence[Entry], *, keep_payloads: bool = False) -> list[Entry]:
    """The entries with routine messages, and readings of the database, summed up; `entries` are in order.

    An entry that says more ends a row, and so does a stretch of time that grows with the session. `keep_payloads`:
    messages that have one stay as they are.
    """
    times = [entry.at for entry in entries if entry.routine is Routine.METER_VALUES]
    length = _stretch(max(times) - min(times)) if times else _LENGTHS[-1]
    rows: list[Entry | _Row] = []
    open_rows: dict[Routine, _Row] = {}
    for entry in entries:
        routine = entry.routine
        if routine is None or not _says_no_more(entry, keep_payloads=keep_payloads):
            open_rows.clear()
            rows.append(entry)
            continue
        row = open_rows.get(routine)
        if row is None or (routine is Routine.METER_VALUES and entry.at - row.entries[0].at >= length):
            row = open_rows[routine] = _Row(routine, [])
            rows.append(row)
        row.entries.append(entry)
    return list(_written(rows))


@dataclass(frozen=True, slots=True)
class _Row:
    routine: Routine
    entries: list[Entry]


def _says_no_more(entry: Entry, *, keep_payloads: bool) -> bool:
    """Whether a routine entry holds nothing that its row's summary would lose."""
    if entry.kind is Kind.METER:
        return True
    is_plain = entry.tone is Tone.PLAIN and entry.facts.get("answer") == "call_result" and "events" not in entry.facts
    return is_plain and not (keep_payloads and entry.payloads)


def _stretch(whole: timedelta) -> timedelta:
    return next((length for length in _LENGTHS if length * _STRETCHES >= whole), _LENGTHS[-1])


def _written(rows: Sequence[Entry | _Row]) -> Iterator[Entry]:
    known: tuple[datetime, int] | None = None
    for item in rows:
        if isinstance(item, Entry):
            yield item
            continue
        yield _as_entry(item, known)
        known = next(
            ((entry.at, wh) for entry in reversed(item.entries) if (wh := _number(entry, "energy_wh")) is not None),
            known,
        )


def _as_entry(row: _Row, known: tuple[datetime, int] | None) -> Entry:
    messages = [entry for entry in row.entries if entry.kind is Kind.MESSAGE]
    count = len(messages) or len(row.entries)
    first, last = row.entries[0], row.entries[-1]
    action = str(first.facts["action"])
    energy = next((wh for entry in reversed(row.entries) if (wh := _number(entry, "energy_wh")) is not None), None)
    power = _power(row.entries, known)
    facts: dict[str, JsonValue] = {"action": action, "messages": len(messages)}
    if energy is not None:
        facts["energy_wh"] = energy
    if power is not None:
        facts["power_w"] = power
    shown = messages[0] if messages else first
    return replace(
        shown,
        at=first.at,
        until=last.at if last.at > first.at else None,
        kind=Kind.METER if row.routine is Routine.METER_VALUES else Kind.MESSAGE,
        source=Source.CHARGER,
        what=_text(row.routine, action, count, last.at - first.at, energy, power),
        duration_ms=shown.duration_ms if count == 1 else None,
        facts=facts,
        payloads=shown.payloads if count == 1 else {},
    )


def _text(routine: Routine, action: str, count: int, took: timedelta, energy: int | None, power: int | None) -> str:
    if routine is not Routine.METER_VALUES:
        return f"{action} ×{count} in {duration_text(took)}" if count > 1 else action
    figures = ([] if energy is None else [energy_text(energy)]) + ([] if power is None else [power_text(power)])
    measures, duration = chained([verbatim(figure) for figure in figures], ", "), duration_text(took)
    if count == 1:
        return Phrase("{action}: {measures}", action=action, measures=measures) if figures else verbatim(action)
    if not figures:
        return Phrase("{action} ×{count} in {duration}", action=action, count=count, duration=duration)
    return Phrase(
        "{action} ×{count} in {duration}: {measures}", action=action, count=count, duration=duration, measures=measures
    )


def _power(entries: Sequence[Entry], known: tuple[datetime, int] | None) -> int | None:
    """The mean of the powers that were sent, else what the energy since the last stretch comes to."""
    powers = [power for entry in entries if (power := _number(entry, "power_w")) is not None]
    if powers:
        return round(sum(powers) / len(powers))
    readings = [(entry.at, wh) for entry in entries if (wh := _number(entry, "energy_wh")) is not None]
    if not readings:
        return None
    begin, begin_wh = known or readings[0]
    end, end_wh = readings[-1]
    if end - begin < _SHORTEST_FOR_POWER or end_wh < begin_wh:
        return None
    return round((end_wh - begin_wh) * timedelta(hours=1) / (end - begin))


def _number(entry: Entry, name: str) -> int | None:
    value = entry.facts.get(name)
    return value if isinstance(value, int) else None
