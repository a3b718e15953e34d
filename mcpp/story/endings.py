"""Who ended a session, and how: from the command that the log shows, else from what is stored of its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mcpp.csms.vocabulary import Vocabulary
from mcpp.domain.statuses import StopReason
from mcpp.story.model import Entry, Kind, Source
from mcpp.story.phrases import evidence_source_text, evidence_text
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.models import Transaction

_ANSWERED_WITHIN: Final = timedelta(minutes=5)
"""How long after a command a stop may come that doesn't say that it was a remote one, and still be its doing."""

_CLOCK: Final = timedelta(seconds=2)
"""A command's line may have a later time than the stop that it brought about: that was written when it was answered."""

_VAGUE: Final = frozenset({StopReason.LOCAL.value, StopReason.OTHER.value, None})
"""Reasons that many charge points give for any stop; Local is what none at all means (OCPP 1.6 §6.49)."""

REASONS: Final[Mapping[str, str]] = {
    StopReason.LOCAL: "at the charge point",
    StopReason.REMOTE: "remotely, by a command",
    StopReason.EV_DISCONNECTED: "as the car was unplugged",
    StopReason.DE_AUTHORIZED: "as the card was refused",
    StopReason.EMERGENCY_STOP: "by the emergency stop",
    StopReason.HARD_RESET: "as the charge point was reset",
    StopReason.SOFT_RESET: "as the charge point was reset",
    StopReason.REBOOT: "as the charge point rebooted",
    StopReason.POWER_LOSS: "as the power failed",
    StopReason.UNLOCK_COMMAND: "as the connector was unlocked by a command",
    StopReason.OTHER: "by the charge point, for a reason of its own",
    StopReason.ENERGY_LIMIT_REACHED: "as it had taken as much energy as it may",
    StopReason.GROUND_FAULT: "by a ground fault",
    StopReason.IMMEDIATE_RESET: "as the charge point was reset",
    StopReason.LOCAL_OUT_OF_CREDIT: "as the credit was used up",
    StopReason.MASTER: "by the card of somebody who may stop all",
    StopReason.OVERCURRENT_FAULT: "as the car drew too much current",
    StopReason.POWER_QUALITY: "as the quality of the power was too bad",
    StopReason.REQUEST_REJECTED: "as the car's wish for energy was refused",
    StopReason.SOC_LIMIT_REACHED: "as the battery was as full as it may get",
    StopReason.STOPPED_BY_EV: "by the car",
    StopReason.TIME_LIMIT_REACHED: "as it had taken as long as it may",
    StopReason.TIMEOUT: "as something that was waited for didn't come",
}
"""How it ended, as it goes on behind "ended"."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Who ended a session, and how."""

    by: Source | None
    """None for a command of which nothing shows whose it was."""
    how: str
    """In words, for people."""


def ending_of(transaction: Transaction, entries: Sequence[Entry], vocabulary: Vocabulary) -> Ending | None:
    """Who ended a transaction; None while it runs. `entries` are the log's, in the order of time."""
    if transaction.stop_origin is None:
        return None
    commanded = _commanded(transaction, entries, vocabulary)
    match transaction.stop_origin:
        case StopOrigin.OPERATOR:
            source = evidence_source_text(transaction.evidence)
            return Ending(Source.OPERATOR, f"closed by the operator{f': {source}' if source else ''}")
        case StopOrigin.RECOVERED:
            evidence = evidence_text(transaction.evidence)
            if commanded is None:
                return Ending(Source.SERVER, f"ended by recovery: {evidence}")
            return Ending(commanded.by, f"{commanded.how}; closed by recovery: {evidence}")
        case _:
            return commanded or _by_reason(transaction.stop_reason)


def _by_reason(reason: str | None) -> Ending:
    text = REASONS.get(reason or StopReason.LOCAL)
    if text is None:
        return Ending(Source.CHARGER, f"ended by the charger: {reason}")
    return Ending(
        None if reason == StopReason.REMOTE else Source.CHARGER, f"ended {text} ({reason or 'no reason given'})"
    )


def _commanded(transaction: Transaction, entries: Sequence[Entry], vocabulary: Vocabulary) -> Ending | None:
    """Whose command ended it, if one did."""
    command = _last_command(transaction, entries, vocabulary)
    if command is None:
        return None
    reason = transaction.stop_reason
    told = "" if reason in {StopReason.REMOTE.value, None} else f" (the charger says {reason})"
    if transaction.stop_origin is StopOrigin.RECOVERED:
        told = ""
    if command.source is Source.OPERATOR:
        return Ending(Source.OPERATOR, f"stopped by the operator{told}")
    plugins = _plugins_of(command.correlation_id, entries)
    name = f"the plugin {plugins.pop()}" if len(plugins) == 1 else "a plugin"
    return Ending(Source.PLUGIN, f"stopped by {name}{told}")


def _last_command(transaction: Transaction, entries: Sequence[Entry], vocabulary: Vocabulary) -> Entry | None:
    """The last command to stop it before it was, which its charge point didn't refuse and its reason doesn't deny."""
    received_at = transaction.stop_received_at or transaction.stopped_at
    assert received_at is not None
    commands = [
        entry
        for entry in entries
        if entry.kind is Kind.COMMAND
        and entry.facts.get("action") == vocabulary.remote_stop
        and entry.facts.get("transaction_id") == transaction.id
        and entry.facts.get("answer") == "call_result"
        and not _was_rejected(entry, vocabulary)
        and entry.at - received_at <= _CLOCK
    ]
    if not commands:
        return None
    command, reason = commands[-1], transaction.stop_reason
    if reason == StopReason.REMOTE or transaction.stop_origin is StopOrigin.RECOVERED:
        return command
    return command if reason in _VAGUE and received_at - command.at <= _ANSWERED_WITHIN else None


def _was_rejected(command: Entry, vocabulary: Vocabulary) -> bool:
    """Known where payloads are logged."""
    response = command.payloads.get("response")
    return isinstance(response, Mapping) and response.get("status") == vocabulary.rejected


def _plugins_of(correlation_id: str | None, entries: Iterable[Entry]) -> set[str]:
    """The plugins that wrote of a flow."""
    names = (entry.facts.get("plugin") for entry in entries if entry.correlation_id == correlation_id)
    return {name for name in names if isinstance(name, str)}
