"""How a charge point came and went: the log's `connection` lines as entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mcpp.story.log_files import Line, text_of, time_of
from mcpp.story.model import Entry, Kind, Source, Tone

CONNECTED: Final[Mapping[str, str]] = {
    "accepted": "connected",
    "accepted_without_subprotocol": "connected without naming OCPP's version",
}

ENDED: Final[Mapping[str, str]] = {
    "closed": "closed its connection",
    "lost": "connection lost",
    "idle": "connection given up: nothing came for too long",
    "stalled": "connection given up: the charger stopped reading",
    "protocol_error": "connection ended: the charger broke the WebSocket protocol",
    "message_too_big": "connection ended: a message was too big",
    "crowded_out": "connection given up: all held too much of unfinished messages, and this one the most",
    "shutdown": "connection closed, as the server stops",
    "forgotten": "connection closed, as the charge point was deleted",
}

_MEANWHILE: Final[Mapping[str, str]] = {
    "replaced": "older connection replaced by the new one",
    "taken_over": "the new connection comes from another address, or by another path",
    "other_path": "connected by another path than ocpp-path",
}

_OURS: Final = frozenset({"idle", "stalled", "crowded_out", "shutdown", "forgotten", "replaced"})


def connection_entry(line: Line) -> Entry:
    """A `connection` line as an entry; an outcome without a phrase here is a refusal."""
    at = time_of(line)
    assert at is not None, "no line without a time is selected"
    outcome, remote = text_of(line, "outcome"), text_of(line, "remote_address")
    phrase = CONNECTED.get(outcome) or ENDED.get(outcome) or _MEANWHILE.get(outcome)
    text = phrase or f"connection refused: {outcome.replace('_', ' ')}"
    if remote and (outcome in CONNECTED or phrase is None):
        text += f" from {remote}"
    detail = text_of(line, "detail")
    return Entry(
        at=at,
        source=Source.SERVER if outcome in _OURS else Source.CHARGER,
        kind=Kind.CONNECTION,
        what=f"{text} ({detail})" if detail else text,
        correlation_id=text_of(line, "correlation_id") or None,
        tone=Tone.PLAIN if outcome in CONNECTED else Tone.WARNING,
        facts={"outcome": outcome},
    )
