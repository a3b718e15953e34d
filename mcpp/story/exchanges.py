"""Log lines as entries: a CALL, its answer and what came of it are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from mcpp.csms.vocabulary import Vocabulary
from mcpp.domain.statuses import NO_ERROR
from mcpp.story.connections import connection_entry
from mcpp.story.log_files import Line, text_of, time_of
from mcpp.story.model import Entry, Kind, Routine, Source, Tone
from mcpp.story.phrases import event_text

_TONES: Final[Mapping[str, Tone]] = {"warning": Tone.WARNING, "error": Tone.ERROR, "debug": Tone.QUIET}

_GRAVEST_FIRST: Final = (Tone.ERROR, Tone.WARNING, Tone.GOOD)

_FRAME: Final = "ocpp_message"
_REQUEST: Final = "http_request"

_MILESTONES: Final = frozenset({"transaction_started", "transaction_stopped"})

_OF_A_CHARGERS_CALL: Final = frozenset(
    {
        "connector_status_changed",
        "transaction_started",
        "transaction_stopped",
        "transaction_stop_superseded",
        "charge_point_booted",
        "security_event_received",
    }
)
"""Events that only repeat in our words what a charger's CALL reported: they are one entry with it."""

_PART_OF_THE_CALL: Final = frozenset(
    {"call_unanswered", "call_expired", "handler_failed", "contract_deviation", "slow_message"}
)

_GIST_FIELDS: Final = ("status", "errorCode", "idTag", "reason", "type", "requestedMessage", "key", "value")
"""What of a payload is worth a word, where payloads are logged."""


@dataclass(slots=True)
class _Exchange:
    """A CALL, and what came of it."""

    call: Line | None
    answer: Line | None = None
    notes: list[Line] = field(default_factory=list)

    @property
    def is_command(self) -> bool:
        """Whether the CALL is one of ours."""
        if self.call is not None:
            return text_of(self.call, "direction") == "out"
        return self.answer is not None and text_of(self.answer, "direction") == "in"


def log_entries(lines: Sequence[Line], vocabulary: Vocabulary) -> list[Entry]:
    """The lines as entries; `lines` are in the order of time."""
    causes = _Causes(lines)
    entries: list[Entry] = []
    for item in list(_exchanges(lines)):  # whole before the first is put into words: notes may come later
        if isinstance(item, _Exchange):
            entries.append(_exchange_entry(item, causes, vocabulary))
        elif text_of(item, "event") == "connection":
            entries.append(connection_entry(item))
        else:
            entries.append(_event_entry(item))
    return entries


class _Causes:
    """Who began each flow: somebody through the API, a plugin, or a charger's CALL, to which the server reacts."""

    def __init__(self, lines: Iterable[Line]) -> None:
        by_source: dict[Source, set[str]] = {Source.OPERATOR: set(), Source.PLUGIN: set(), Source.SERVER: set()}
        for line in lines:
            flow = _flow(line)
            if text_of(line, "event") == _REQUEST:
                by_source[Source.OPERATOR].add(flow)
            elif text_of(line, "plugin"):
                by_source[Source.PLUGIN].add(flow)
            elif text_of(line, "message_type") == "call" and text_of(line, "direction") == "in":
                by_source[Source.SERVER].add(flow)
        self._by_source = by_source

    def source(self, command: Line) -> Source:
        """Whose a command is; where nothing shows it, it came through the API, whose requests the log may not have."""
        flow = _flow(command)
        return next((source for source, flows in self._by_source.items() if flow in flows), Source.OPERATOR)


def _exchanges(lines: Sequence[Line]) -> Iterator[_Exchange | Line]:
    """Lines put together to exchanges, each at its first frame; those that belong to none stay as they are."""
    by_message: dict[tuple[str, str], _Exchange] = {}
    by_flow: dict[str, _Exchange] = {}
    """The charger's CALL of a flow; a flow has one at most."""
    beginnings: dict[int, _Exchange] = {}
    frames = [(number, line) for number, line in enumerate(lines) if text_of(line, "event") == _FRAME]
    for number, frame in frames:
        is_call = text_of(frame, "message_type") == "call"
        exchange = by_message.get(_message(frame))
        if exchange is not None and not is_call:
            exchange.answer = frame
            continue
        exchange = beginnings[number] = _Exchange(frame, None) if is_call else _Exchange(None, frame)
        by_message[_message(frame)] = exchange
        if not exchange.is_command:
            by_flow[_flow(frame)] = exchange
    for number, line in enumerate(lines):
        event = text_of(line, "event")
        if event == _FRAME:
            if number in beginnings:
                yield beginnings[number]
            continue
        exchange = None
        if event in _PART_OF_THE_CALL:
            exchange = by_message.get(_message(line))
        elif event in _OF_A_CHARGERS_CALL:
            exchange = by_flow.get(_flow(line))
        if exchange is None:
            yield line
        else:
            exchange.notes.append(line)


def _flow(line: Line) -> str:
    return text_of(line, "correlation_id")


def _message(line: Line) -> tuple[str, str]:
    return _flow(line), text_of(line, "message_id")


def _exchange_entry(exchange: _Exchange, causes: _Causes, vocabulary: Vocabulary) -> Entry:
    line = exchange.call or exchange.answer
    assert line is not None, "an exchange begins with one of its frames"
    action = text_of(line, "action")
    facts: dict[str, JsonValue] = {"message_id": text_of(line, "message_id"), "action": action}
    facts |= {name: line[name] for name in ("connector_id", "evse_id", "transaction_id") if name in line}
    if exchange.notes:
        facts["events"] = [text_of(note, "event") for note in exchange.notes]
    if exchange.answer is not None:
        facts["answer"] = text_of(exchange.answer, "message_type")
    source = causes.source(line) if exchange.is_command else Source.CHARGER
    return Entry(
        at=_time(line),
        source=source,
        kind=Kind.COMMAND if exchange.is_command else Kind.MESSAGE,
        what=_exchange_text(exchange, line),
        correlation_id=text_of(line, "correlation_id") or None,
        duration_ms=_duration(exchange.answer),
        tone=_exchange_tone(exchange),
        routine=None if exchange.is_command else _routine(action, vocabulary),
        facts=facts,
        payloads=dict(_payloads(exchange)),
    )


def _routine(action: str, vocabulary: Vocabulary) -> Routine | None:
    if action == vocabulary.meter_values:
        return Routine.METER_VALUES
    return Routine.HEARTBEAT if action == vocabulary.heartbeat else None


def _exchange_text(exchange: _Exchange, line: Line) -> str:
    action = text_of(line, "action") or "a frame that is no OCPP message"
    phrases = [event_text(note) for note in exchange.notes]
    if not phrases:
        gist = " → ".join(filter(None, (_gist(exchange.call), _gist(exchange.answer))))
        phrases = [gist] if gist else []
    answer = exchange.answer
    if answer is not None and text_of(answer, "message_type") == "call_error":
        error = ", ".join(filter(None, (text_of(answer, "error"), text_of(answer, "description"))))
        phrases.append(f"{'refused' if exchange.is_command else 'refused by us'}: {error}")
    elif answer is None and not any(text_of(note, "event") in _PART_OF_THE_CALL for note in exchange.notes):
        phrases.append("the log has no answer")
    if exchange.call is None:
        stray = text_of(line, "stray")
        phrases.append(
            f"{stray} answer, nobody waits for it" if stray else text_of(line, "error") or "its CALL isn't here"
        )
    name = f"→ {action}" if exchange.is_command else action
    return f"{name}: {'; '.join(phrases)}" if phrases else name


def _gist(frame: Line | None) -> str:
    """The fields of a payload that say most, where payloads are logged."""
    payload = frame.get("payload") if frame is not None else None
    if not isinstance(payload, dict):
        return ""
    verdict = payload.get("idTagInfo")
    fields = {**payload, **verdict} if isinstance(verdict, dict) else payload
    values = (fields.get(name) for name in _GIST_FIELDS)
    return " ".join(value for value in values if isinstance(value, str) and value != NO_ERROR)


def _exchange_tone(exchange: _Exchange) -> Tone:
    tones = {_tone(line) for line in (exchange.call, exchange.answer, *exchange.notes) if line is not None}
    if exchange.answer is not None and text_of(exchange.answer, "message_type") == "call_error":
        tones.add(Tone.WARNING)
    return next((tone for tone in _GRAVEST_FIRST if tone in tones), Tone.PLAIN)


def _tone(line: Line) -> Tone:
    if text_of(line, "event") in _MILESTONES:
        return Tone.GOOD
    return _TONES.get(text_of(line, "level"), Tone.PLAIN)


def _payloads(exchange: _Exchange) -> Iterator[tuple[str, JsonValue]]:
    for name, line in (("request", exchange.call), ("response", exchange.answer)):
        if line is not None and "payload" in line:
            yield name, line["payload"]


def _duration(line: Line | None) -> float | None:
    value = line.get("duration_ms") if line is not None else None
    return float(value) if isinstance(value, int | float) else None


def _event_entry(line: Line) -> Entry:
    event, plugin = text_of(line, "event"), text_of(line, "plugin")
    by_operator = event == _REQUEST or line.get("origin") == "operator"
    source = Source.PLUGIN if plugin else Source.OPERATOR if by_operator else Source.SERVER
    facts: dict[str, JsonValue] = {"event": event, "plugin": plugin} if plugin else {"event": event}
    said = ("connector_id", "evse_id", "transaction_id", "last_sign_of_life")
    facts |= {name: line[name] for name in said if name in line}
    text = event_text(line)
    return Entry(
        at=_time(line),
        source=source,
        kind=Kind.EVENT,
        what=f"{plugin}: {text}" if plugin else text,
        correlation_id=text_of(line, "correlation_id") or None,
        duration_ms=_duration(line),
        tone=_tone(line),
        facts=facts,
    )


def _time(line: Line) -> datetime:
    at = time_of(line)
    assert at is not None, "no line without a time is selected"
    return at
