"""What was missing and for how long: a connection, the server, meter values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from mcpp.phrases import Phrase
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
                away = duration_text(entry.at - gone.at)
                yield _gap(gone.at, entry.at, Phrase("no connection for {duration}", duration=away))
            gone = None
        elif event == "server_stopped":
            stopped = entry.at
        elif event == "server_started":
            yield from _server_gap(stopped, entry)
            stopped = None
    if gone is not None and entry is not None:
        yield _gap(entry.at, None, Phrase("still gone at the end of what was read"))


def _server_gap(stopped: datetime | None, started: Entry) -> Iterator[Entry]:
    if stopped is not None:
        away = duration_text(started.at - stopped)
        yield _gap(stopped, started.at, Phrase("no server for {duration}", duration=away))
        return
    last = started.facts.get("last_sign_of_life")
    if isinstance(last, str) and (begin := datetime.fromisoformat(last)) <= started.at:
        text = Phrase(
            "the server ended without a word; the log is silent for {duration}",
            duration=duration_text(started.at - begin),
        )
        yield _gap(begin, started.at, text)


def gaps_of_meter(times: Sequence[datetime], started_at: datetime, stopped_at: datetime | None) -> Iterator[Entry]:
    """Spans of a transaction without meter values that are far longer than the usual ones."""
    bounds = [started_at, *(at for at in times if at > started_at)]
    if stopped_at is not None and stopped_at > bounds[-1]:
        bounds.append(stopped_at)
    spans = [(begin, end) for begin, end in pairwise(bounds) if end > begin]
    usual = _median([end - begin for begin, end in spans]) if len(spans) > 2 else _USUAL_INTERVAL
    for begin, end in spans:
        if end - begin > max(3 * usual, _SHORTEST_METER_GAP):
            text = Phrase("no meter values for {duration}", duration=duration_text(end - begin))
            yield _gap(begin, end, text)


def _median(spans: Sequence[timedelta]) -> timedelta:
    return sorted(spans)[len(spans) // 2]


def _gap(begin: datetime, end: datetime | None, text: Phrase) -> Entry:
    return Entry(
        at=begin,
        until=end,
        source=Source.SERVER,
        kind=Kind.GAP,
        what=text,
        tone=Tone.WARNING,
        facts={} if end is None else {"seconds": round((end - begin) / timedelta(seconds=1), 3)},
    )
