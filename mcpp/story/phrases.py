"""Measures, evidence and log events in words, for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from pydantic import JsonValue

from mcpp.domain.closing import Cause, EvidenceSource
from mcpp.domain.energy import told_register
from mcpp.domain.statuses import NO_ERROR
from mcpp.domain.stop_matching import is_our_id
from mcpp.phrases import Figure, Phrase, chained
from mcpp.story.log_files import Line, number_of, text_of
from mcpp_generated.db.enums import Implausible, StopMatch

CAUSES: Final[Mapping[str, str]] = {
    Cause.CONNECTOR_AVAILABLE: "its connector was reported free",
    Cause.BOOT: "its charge point booted and spoke of it no more",
    Cause.VERSION_CHANGE: "its charge point came back with another version of OCPP",
    Cause.NEXT_START: "its connector began another one",
    Cause.OPERATOR: "an operator said so",
    Cause.STOP_REGISTER: "its stop's register doesn't go with its meter values",
}

STOP_REGISTER_SOURCE: Final = "energy by its meter values"

EVIDENCE_SOURCES: Final[Mapping[str, str]] = {
    EvidenceSource.UNMATCHED_STOP: "register and time from a stop that had been kept aside",
    EvidenceSource.METER_VALUE: "register and time from the last meter value",
    EvidenceSource.NEXT_START: "register and time from the start of the next one",
    EvidenceSource.METER_START: "register and time of its own start, as no reading is known",
    EvidenceSource.STOP: "register of its stop all the same",
}

IMPLAUSIBLE: Final[Mapping[str, str]] = {
    Implausible.NEGATIVE_ENERGY: "the register ended below where it began",
    Implausible.SENTINEL: "a register is a number that stands for none",
    Implausible.MORE_THAN_POSSIBLE: "more than its connector could have delivered",
    Implausible.NO_READING: "no register was told",
}
"""Why no reading of a transaction can be believed."""

_ENVELOPE: Final = frozenset(
    {
        "timestamp", "level", "event", "category", "correlation_id", "session_correlation_id", "trace_id", "span_id",
        "charge_point_id", "connector_id", "evse_id", "transaction_id", "action", "message_id", "direction", "plugin",
        "stack", "duration_ms", "payload",
    }
)  # fmt: skip
"""Fields that an entry shows elsewhere, or that are for machines."""


def duration_text(span: timedelta) -> Figure:
    """A span of time in its two largest units: 4 min 10 s."""
    seconds = max(span / timedelta(seconds=1), 0.0)
    if seconds < 10:
        return Figure(f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms")
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, whole = divmod(whole, size)
        parts.append((count, name))
    first = next(i for i, (count, _) in enumerate(parts) if count)
    return Figure(" ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count))


def energy_text(wh: int) -> Figure:
    """Energy in kWh, to the Wh."""
    sign = "-" if wh < 0 else ""
    return Figure(f"{sign}{abs(wh) // 1000}.{abs(wh) % 1000:03} kWh")


def power_text(watts: int) -> Figure:
    """Power in kW."""
    return Figure(f"{watts / 1000:.1f} kW")


def evidence_text(evidence: str | None) -> str:
    """What an end that its charger didn't report, naming it, was taken from, and why."""
    facts = _facts_of(evidence)
    cause = CAUSES.get(str(facts.get("cause")))
    parts = (_guess_text(facts), cause and Phrase(cause), evidence_source_text(evidence))
    return chained([part for part in parts if part])


def evidence_source_text(evidence: str | None) -> Phrase:
    """What an end that its charger didn't report was taken from."""
    facts = _facts_of(evidence)
    if facts.get("cause") == Cause.STOP_REGISTER and facts.get("source") == EvidenceSource.METER_VALUE:
        return Phrase(STOP_REGISTER_SOURCE)
    known = EVIDENCE_SOURCES.get(str(facts.get("source")), "")
    return Phrase(known)


def _facts_of(evidence: str | None) -> Mapping[str, JsonValue]:
    try:
        facts: JsonValue = json.loads(evidence or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _guess_text(facts: Mapping[str, JsonValue]) -> Phrase | None:
    if facts.get("match") != StopMatch.GUESSED:
        return None
    claimed = facts.get("claimed_transaction_id")
    if isinstance(claimed, int) and is_our_id(claimed):
        return Phrase("a guess: the stop names transaction {claimed}, and fits only this one", claimed=claimed)
    return Phrase("a guess: the stop names none, and fits only this one")


def implausible_text(reason: str) -> Phrase:
    """Why no reading of a transaction can be believed."""
    why = Phrase(IMPLAUSIBLE[reason]) if reason in IMPLAUSIBLE else Phrase("no reading can be believed")
    return Phrase("implausible: {why}", why=why)


def event_text(line: Line) -> str:
    """What a line says, in words where its event is known, else as the line has it."""
    phrase = _EVENTS.get(text_of(line, "event"))
    return phrase(line) if phrase is not None else generic_text(line)


def generic_text(line: Line) -> str:
    """An event by its name, with the fields that are its own."""
    fields = (f"{name}={plain(value)}" for name, value in line.items() if name not in _ENVELOPE and value is not None)
    return " ".join((text_of(line, "event").replace("_", " "), *fields))


def plain(value: JsonValue) -> str:
    """A field's value as a person writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items())
    return json.dumps(value, ensure_ascii=False)


def _wh(line: Line, name: str) -> str:
    wh = number_of(line, name)
    return "?" if wh is None else energy_text(wh)


def _status_changed(line: Line) -> str:
    text = text_of(line, "status")
    before, error, info = text_of(line, "previous_status"), text_of(line, "error_code"), text_of(line, "info")
    if before not in {"", text}:
        text = f"{before} → {text}"
    if error not in {"", NO_ERROR}:
        text += f", {error}"
    return f"{text}, {info}" if info else text


def _started(line: Line) -> str:
    number, meter_start = number_of(line, "transaction_id"), number_of(line, "meter_start")
    ocpp_id = text_of(line, "ocpp_transaction_id") or None
    return begin_text(number, 0 if meter_start is None else meter_start, ocpp_id, text_of(line, "id_tag"))


def begin_text(number: int | None, meter_start: int, ocpp_transaction_id: str | None, id_tag: str) -> Phrase:
    """That a transaction begins; since OCPP 2.0 its register and its card may be told later, or never."""
    is_anonymous = not id_tag and ocpp_transaction_id is not None
    told = told_register(meter_start, ocpp_transaction_id)
    if told is None and is_anonymous:
        return Phrase("transaction {number} begins without a card", number=number)
    if told is None:
        return Phrase("transaction {number} begins for {id_tag}", number=number, id_tag=id_tag)
    register = energy_text(told)
    if is_anonymous:
        return Phrase("transaction {number} begins at {register} without a card", number=number, register=register)
    return Phrase(
        "transaction {number} begins at {register} for {id_tag}", number=number, register=register, id_tag=id_tag
    )


def end_text(number: int, meter_stop: int, ocpp_transaction_id: str | None, energy_wh: int) -> Phrase:
    """That a transaction ends; since OCPP 2.0 its register may never be told."""
    told, energy = told_register(meter_stop, ocpp_transaction_id), energy_text(energy_wh)
    if told is None:
        return Phrase("transaction {number} ends, {energy} charged", number=number, energy=energy)
    register = energy_text(told)
    return Phrase(
        "transaction {number} ends at {register}, {energy} charged", number=number, register=register, energy=energy
    )


def _stopped(line: Line) -> str:
    text = f"transaction {number_of(line, 'transaction_id')} ends at {_wh(line, 'meter_stop')}"
    text += f", {_wh(line, 'energy_wh')} charged, {text_of(line, 'reason')}"
    if line.get("energy_implausible") is True:
        text += f"; {implausible_text(text_of(line, 'implausible_reason'))}"
    evidence = evidence_text(text_of(line, "evidence"))
    return f"{text}; {evidence}" if evidence else text


def _recovered(line: Line) -> str:
    number = number_of(line, "transaction_id")
    text = f"transaction {number} closed without its charger's stop, at {_wh(line, 'meter_stop')}"
    evidence = evidence_text(text_of(line, "evidence"))
    return f"{text}; {evidence}" if evidence else text


def _superseded(line: Line) -> str:
    return f"{_stopped(line)}; this replaces {_wh(line, 'supersedes')}, stored as {text_of(line, 'superseded_origin')}"


def _booted(line: Line) -> str:
    parts = (text_of(line, "vendor"), text_of(line, "model"), text_of(line, "firmware_version"))
    return " ".join(filter(None, ("boot of", *parts)))


def _deviation(line: Line) -> str:
    rules = line.get("rules")
    if not isinstance(rules, dict):
        return generic_text(line)
    names = (name.replace("_", " ") + (f" ×{times}" if times != 1 else "") for name, times in rules.items())
    return f"tolerated: {', '.join(names)}"


def _slow(line: Line) -> str:
    spent = line.get("spent")
    if not isinstance(spent, dict):
        return generic_text(line)
    parts = {name: part for name, part in spent.items() if isinstance(part, int | float) and part >= 1}
    phrases = (
        f"{name.removesuffix('_ms').replace('_', ' ')} {duration_text(timedelta(milliseconds=part))}"
        for name, part in sorted(parts.items(), key=lambda item: -item[1])
    )
    return f"slow: {', '.join(phrases)}"


def _auto_start_tried(line: Line) -> str:
    return f"asked for a start, try {number_of(line, 'tries')}: {text_of(line, 'outcome')}"


_EVENTS: Final[Mapping[str, Callable[[Line], str]]] = {
    "connector_status_changed": _status_changed,
    "transaction_started": _started,
    "transaction_stopped": _stopped,
    "transaction_recovered": _recovered,
    "transaction_stop_superseded": _superseded,
    "charge_point_booted": _booted,
    "record_unmatched": lambda line: (
        f"kept aside: {text_of(line, 'kind').replace('_', ' ')} for transaction "
        f"{number_of(line, 'claimed_transaction_id')}, which isn't known"
    ),
    "reservation_changed": lambda line: f"reservation {line.get('reservation_id')} {text_of(line, 'status').lower()}",
    "security_event_received": lambda line: f"security event {text_of(line, 'type')}",
    "report_received": lambda line: f"{text_of(line, 'kind')}: {text_of(line, 'status')}",
    "contract_deviation": _deviation,
    "slow_message": _slow,
    "call_unanswered": lambda line: f"got no answer from us: {text_of(line, 'error')}",
    "call_expired": lambda line: f"no answer: {text_of(line, 'error')}",
    "handler_failed": lambda line: f"failed here: {text_of(line, 'error')}",
    "auto_start_tried": _auto_start_tried,
    "auto_start_held": lambda line: f"no start yet: {text_of(line, 'reason')}",
    "auto_start_given_up": lambda line: f"gave up after try {number_of(line, 'tries')}: {text_of(line, 'reason')}",
    "http_request": lambda line: f"{text_of(line, 'method')} {text_of(line, 'path')}: {plain(line.get('status'))}",
    "server_started": lambda _: "server started",
    "server_stopping": lambda _: "server is stopping",
    "server_stopped": lambda _: "server stopped",
    "log_lines_dropped": lambda line: f"{plain(line.get('count'))} log lines were lost about here",
    "log_level_changed": lambda line: f"log level is {text_of(line, 'log_level')} from here on",
}
