"""What was missing and for how long: a connection, the server, meter values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from mcpp.story.connections import CONNECTED, ENDED
from mcpp.story.model import Entry, Kind, Source, Tone
from mcpp.story.phrases import duration_text

_USUAL_INTERVAL: Final = timedelta(minutes=5)
"""Between meter values, where there are too few to know: what many chargers are set to, or less."""

_SHORTEST_METER_GAP: Final = timedelta(minutes=2)
_SHORTEST_CONNECTION_GAP: Final = timedelta(seconds=1)


def gaps_of_connection(entries: Iterable[Entry]) -> Iterator[Entry]:
    """How long the charge point was away each time, and the server; `entries` are in the order of time."""
    gone: Entry | None = None
    entry: Entry | None = None
    stopped: datetime | None = None
    for entry in entries:
        outcome, event = entry.facts.get("outcome"), entry.facts.get("event")
        if outcome in ENDED:
            gone = entry
        elif outcome in CONNECTED and gone is not None:
            if entry.at - gone.at >= _SHORTEST_CONNECTION_GAP:
                yield _gap(gone.at, entry.at, "no connection for")
            gone = None
        elif event == "server_stopped":
            stopped = entry.at
        elif event == "server_started":
            yield from _server_gap(stopped, entry)
            stopped = None
    if gone is not None and entry is not None:
        yield _gap(entry.at, None, "still gone at the end of what was read")


def _server_gap(stopped: datetime | None, started: Entry) -> Iterator[Entry]:
    if stopped is not None:
        yield _gap(stopped, started.at, "no server for")
        return
    last = started.facts.get("last_sign_of_life")
    if isinstance(last, str) and datetime.fromisoformat(last) <= started.at:
        yield _gap(datetime.fromisoformat(last), started.at, "the server ended without a word; the log is silent for")


def gaps_of_meter(times: Sequence[datetime], started_at: datetime, stopped_at: datetime | None) -> Iterator[Entry]:
    """Spans of a transaction without meter values that are far longer than the usual ones."""
    bounds = [started_at, *(at for at in times if at > started_at)]
    if stopped_at is not None and stopped_at > bounds[-1]:
        bounds.append(stopped_at)
    spans = [(begin, end) for begin, end in pairwise(bounds) if end > begin]
    usual = _median([end - begin for begin, end in spans]) if len(spans) > 2 else _USUAL_INTERVAL
    for begin, end in spans:
        if end - begin > max(3 * usual, _SHORTEST_METER_GAP):
            yield _gap(begin, end, "no meter values for")


def _median(spans: Sequence[timedelta]) -> timedelta:
    return sorted(spans)[len(spans) // 2]


def _gap(begin: datetime, end: datetime | None, words: str) -> Entry:
    text = words if end is None else f"{words} {duration_text(end - begin)}"
    return Entry(
        at=begin,
        until=end,
        source=Source.SERVER,
        kind=Kind.GAP,
        what=text,
        tone=Tone.WARNING,
        facts={} if end is None else {"seconds": round((end - begin) / timedelta(seconds=1), 3)},
    )
