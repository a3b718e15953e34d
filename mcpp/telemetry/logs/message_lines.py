"""The log lines of messages: one for each frame, and notes on what became of a flow.

An incoming CALL and our answer to it are known together, so their lines are written together: as text put
together from parts that are ready, where nothing asks for more.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import orjson

from mcpp.bounds import LOG_FIELD, cut
from mcpp.ocppj.flow import Flow
from mcpp.telemetry.logs.lines import Line, LineWriter, LogLevel, timestamp, timestamps
from mcpp.telemetry.logs.redaction import bounded, redact_payload, shown

_USUAL_ID: Final = 64
"""Characters of a UniqueId; OCPP-J 1.6 §4.1.4 allows 36."""

_CHARGE_POINTS: Final = 16_384
"""Whose identities are kept ready."""


class MessageLines:
    """Builds the lines and writes them, where their level is wanted."""

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines

    @property
    def wanted(self) -> bool:
        """Whether frames get lines at all."""
        return self._lines.writes(LogLevel.INFO)

    def exchange(self, flow: Flow, size: int, payload: bytes, seconds: float) -> None:
        """A charge point's CALL and our CALLRESULT to it, this many seconds later."""
        if self._lines.takes_text:
            try:
                self._lines.write_text(_exchange_text(flow, size, seconds, *timestamps(seconds)))
                return
            except orjson.JSONEncodeError:
                pass  # a dict's values become what JSON can hold
        if self.wanted:
            began, ended = timestamps(seconds)
            self.call(flow, when=began)
            self.frame(flow, "out", "call_result", size, payload, seconds=seconds, when=ended)

    def call(self, flow: Flow, *, when: str | None = None) -> None:
        """The frame of a flow's CALL, `when` it came in or went out, else now."""
        self.frame(flow, flow.direction.value, "call", flow.size_bytes, flow.payload, when=when)

    def frame(
        self,
        flow: Flow,
        direction: str,
        message_type: str,
        size: int,
        payload: bytes = b"",
        *,
        seconds: float | None = None,
        when: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """A frame of any kind: all that is logged of one is written here."""
        line: Line = {
            "timestamp": when or timestamp(),
            "level": "info",
            "event": "ocpp_message",
            "category": "ocpp",
            "correlation_id": flow.correlation_id,
        }
        _add_flow(line, flow)
        line["direction"] = direction
        line["message_type"] = message_type
        line["size_bytes"] = size
        if seconds is not None:
            line["duration_ms"] = round(seconds * 1000, 3)
        if more is not None:
            line.update({name: cut(value, LOG_FIELD) for name, value in more.items()})
        if payload and self._lines.log_payloads:
            line["payload"] = redact_payload(payload)
        self._lines.write(line)

    def note(self, level: LogLevel, event: str, flow: Flow, **more: object) -> None:
        """What belongs to a flow and to none of its frames."""
        if not self._lines.writes(level):
            return
        line: Line = {
            "timestamp": timestamp(),
            "level": level.value,
            "event": event,
            "category": "error" if level is LogLevel.ERROR else "ocpp",
            "correlation_id": flow.correlation_id,
        }
        _add_flow(line, flow)
        line["direction"] = flow.direction.value
        line |= bounded(more)
        self._lines.write(line)

    def deviations(self, flow: Flow, rules: Tally[str]) -> None:
        """What was tolerated in one flow: how often by rule, and where each was met first."""
        # Backwards, so that the first location of each rule is the one that stays.
        locations = {deviation.rule: deviation.location for deviation in reversed(flow.deviations)}
        self.note(LogLevel.INFO, "contract_deviation", flow, rules=rules, locations=locations)

    def slow(self, flow: Flow, seconds: float) -> None:
        """A flow that took long: where its time went, in milliseconds, and what is left unexplained."""
        steps: dict[str, float] = {}
        facts: dict[str, float] = {}
        for step in flow.steps:
            steps[step.name] = steps.get(step.name, 0.0) + step.seconds
            for name, fact in step.facts.items():
                facts[f"{step.name}_{name}"] = max(fact, facts.get(f"{step.name}_{name}", 0))
        steps["other"] = max(0.0, seconds - sum(steps.values()))
        spent = {f"{name}_ms": round(value * 1000, 3) for name, value in steps.items()}
        details = {
            name.replace("_seconds", "_ms"): round(value * 1000, 3) if name.endswith("_seconds") else value
            for name, value in facts.items()
        }
        self.note(
            LogLevel.WARNING, "slow_message", flow, duration_ms=round(seconds * 1000, 3), spent=spent, details=details
        )

    def connection(self, facts: Mapping[str, str], level: LogLevel = LogLevel.INFO, count: int | None = None) -> None:
        """How a connection began, was refused, so many times by now, or ended."""
        if self._lines.writes(level):
            line: Line = {"timestamp": timestamp(), "level": level.value, "event": "connection", "category": "ocpp"}
            line.update({name: shown(fact) for name, fact in facts.items() if fact})
            if count is not None:
                line["count"] = count
            self._lines.write(line)


def _add_flow(line: Line, flow: Flow) -> None:
    """Ids that lead from the line to its trace, its session, its charge point and its message."""
    if flow.span_id:
        line["trace_id"] = flow.correlation_id
        line["span_id"] = f"{flow.span_id:016x}"
    if flow.session_correlation_id is not None:
        line["session_correlation_id"] = flow.session_correlation_id
    line["charge_point_id"] = flow.peer.identity
    if flow.connector_id is not None:
        line["connector_id"] = flow.connector_id
    if flow.evse_id:
        line["evse_id"] = flow.evse_id
    if flow.transaction_id is not None:
        line["transaction_id"] = flow.transaction_id
    if flow.action:
        line["action"] = cut(flow.action, LOG_FIELD)
    line["message_id"] = cut(flow.message_id, LOG_FIELD)


def _exchange_text(flow: Flow, size: int, seconds: float, began: str, ended: str) -> str:
    """The lines of a charge point's CALL and of our CALLRESULT of this size, with their timestamps, as JSON.

    Fields, values and order are those of MessageLines.frame; dicts and their way to JSON cost five times as much.
    Raises orjson.JSONEncodeError for what JSON can't hold: half a surrogate pair.
    """
    trace = f',"trace_id":"{flow.correlation_id}","span_id":"{flow.span_id:016x}"' if flow.span_id else ""
    if flow.session_correlation_id is not None:
        trace += f',"session_correlation_id":"{flow.session_correlation_id}"'
    subject = "" if flow.connector_id is None else f',"connector_id":{flow.connector_id}'
    if flow.evse_id:
        subject += f',"evse_id":{flow.evse_id}'
    if flow.transaction_id is not None:
        subject += f',"transaction_id":{flow.transaction_id}'
    message_id = flow.message_id
    if len(message_id) > _USUAL_ID:
        message_id = cut(message_id, LOG_FIELD)
    common = (
        f'"info","event":"ocpp_message","category":"ocpp","correlation_id":"{flow.correlation_id}"{trace}'
        f"{_charge_point(flow.peer.identity)}{subject}{_action(flow.action)}"
        f',"message_id":{orjson.dumps(message_id).decode()},"direction":'
    )
    return (
        f'{{"timestamp":"{began}","level":{common}"in","message_type":"call","size_bytes":{flow.size_bytes}}}\n'
        f'{{"timestamp":"{ended}","level":{common}"out","message_type":"call_result","size_bytes":{size},'
        f'"duration_ms":{seconds * 1000:.3f}}}\n'
    )


@lru_cache(_CHARGE_POINTS)
def _charge_point(identity: str) -> str:
    return f',"charge_point_id":{orjson.dumps(identity).decode()}'


@lru_cache
def _action(action: str) -> str:
    """The action of a CALL that has a handler, so there are few."""
    return f',"action":{orjson.dumps(action).decode()}' if action else ""
