"""Words of closed sets that pages show: what chargers report, states of certificates, rules that were broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mcpp.csms.conformance import REFUSED
from mcpp.domain.authorization import AuthorizationStatus
from mcpp.domain.statuses import ConnectorError, StopReason
from mcpp.ocppj.rules import Rule
from mcpp.web.states import msgid
from mcpp_generated.db.enums import CertificateState, ReportKind

REPORTED: Final[Mapping[str, str]] = {
    StopReason.EMERGENCY_STOP: msgid("emergency stop"),
    StopReason.EV_DISCONNECTED: msgid("unplugged at the vehicle"),
    StopReason.HARD_RESET: msgid("restart at once"),
    StopReason.IMMEDIATE_RESET: msgid("restart at once"),
    StopReason.LOCAL: msgid("stopped at the charger"),
    StopReason.OTHER: msgid("another reason"),
    StopReason.POWER_LOSS: msgid("power cut"),
    StopReason.REBOOT: msgid("restart of the charger"),
    StopReason.SOFT_RESET: msgid("restart of the charger"),
    StopReason.REMOTE: msgid("stopped from here"),
    StopReason.UNLOCK_COMMAND: msgid("cable unlocked from here"),
    StopReason.DE_AUTHORIZED: msgid("card no longer accepted"),
    StopReason.ENERGY_LIMIT_REACHED: msgid("energy limit reached"),
    StopReason.GROUND_FAULT: msgid("ground fault"),
    StopReason.LOCAL_OUT_OF_CREDIT: msgid("no credit left"),
    StopReason.MASTER: msgid("stopped by a master card"),
    StopReason.OVERCURRENT_FAULT: msgid("overcurrent"),
    StopReason.POWER_QUALITY: msgid("poor quality of the mains"),
    StopReason.REQUEST_REJECTED: msgid("the vehicle’s request was rejected"),
    StopReason.SOC_LIMIT_REACHED: msgid("wanted state of charge reached"),
    StopReason.STOPPED_BY_EV: msgid("stopped by the vehicle"),
    StopReason.TIME_LIMIT_REACHED: msgid("time limit reached"),
    StopReason.TIMEOUT: msgid("nothing happened for too long"),
    AuthorizationStatus.ACCEPTED: msgid("accepted"),
    AuthorizationStatus.BLOCKED: msgid("blocked"),
    AuthorizationStatus.EXPIRED: msgid("expired"),
    AuthorizationStatus.INVALID: msgid("not accepted"),
    AuthorizationStatus.CONCURRENT_TX: msgid("charges elsewhere already"),
    ConnectorError.CONNECTOR_LOCK_FAILURE: msgid("the cable’s lock fails"),
    ConnectorError.EV_COMMUNICATION_ERROR: msgid("no communication with the vehicle"),
    ConnectorError.GROUND_FAILURE: msgid("ground fault"),
    ConnectorError.HIGH_TEMPERATURE: msgid("too hot"),
    ConnectorError.INTERNAL_ERROR: msgid("internal fault"),
    ConnectorError.LOCAL_LIST_CONFLICT: msgid("conflict with its list of cards"),
    ConnectorError.OTHER_ERROR: msgid("another fault"),
    ConnectorError.OVER_CURRENT_FAILURE: msgid("overcurrent"),
    ConnectorError.POWER_METER_FAILURE: msgid("meter fault"),
    ConnectorError.POWER_SWITCH_FAILURE: msgid("contactor fault"),
    ConnectorError.READER_FAILURE: msgid("card reader fault"),
    ConnectorError.RESET_FAILURE: msgid("restart failed"),
    ConnectorError.UNDER_VOLTAGE: msgid("undervoltage"),
    ConnectorError.OVER_VOLTAGE: msgid("overvoltage"),
    ConnectorError.WEAK_SIGNAL: msgid("weak radio signal"),
}
"""Reasons of stops, verdicts on cards and codes of errors, in words; what isn't here is shown as it came."""


def in_short(text: str, translate: Callable[[str], str]) -> str:
    """What a charger reported, in the viewer's language; a code of an error stays beside it, as manuals have it."""
    words = REPORTED.get(text)
    if words is None:
        return text
    return f"{translate(words)} ({text})" if text in _ERRORS else translate(words)


_ERRORS: Final = frozenset(ConnectorError)


CERTIFICATE_STATES: Final[Mapping[str, str]] = {
    CertificateState.PENDING: msgid("waiting for approval"),
    CertificateState.APPROVED: msgid("approved"),
    CertificateState.ISSUED: msgid("issued"),
    CertificateState.FAILED: msgid("not accepted by the charger"),
    CertificateState.REJECTED: msgid("rejected"),
    CertificateState.SUPERSEDED: msgid("replaced by a newer one"),
    CertificateState.REVOKED: msgid("revoked"),
}

REPORT_KINDS: Final[Mapping[str, str]] = {
    ReportKind.DIAGNOSTICS: msgid("Diagnostics"),
    ReportKind.FIRMWARE: msgid("Firmware"),
    ReportKind.LOG: msgid("Log"),
    ReportKind.SIGNED_FIRMWARE: msgid("Signed firmware"),
    ReportKind.PUBLISHED_FIRMWARE: msgid("Firmware for its neighbours"),
}

RULES: Final[Mapping[str, str]] = {
    Rule.UNKNOWN_FIELD: msgid("unknown field"),
    Rule.NULL_FIELD: msgid("null instead of a value"),
    Rule.MISSING_FIELD: msgid("a field is missing"),
    Rule.EMPTY_FIELD: msgid("empty field"),
    Rule.UNREADABLE_FIELD: msgid("value that can’t be read"),
    Rule.NUMBER_FOR_TEXT: msgid("a number instead of a text"),
    Rule.BOOLEAN_FOR_TEXT: msgid("true or false instead of a text"),
    Rule.OBJECT_FOR_TEXT: msgid("an object instead of a text"),
    Rule.TEXT_FOR_NUMBER: msgid("a text instead of a number"),
    Rule.DECIMAL_FOR_INTEGER: msgid("decimals where a whole number belongs"),
    Rule.TOO_MANY_DECIMALS: msgid("too many decimals"),
    Rule.NUMBER_FOR_BOOLEAN: msgid("a number instead of true or false"),
    Rule.TEXT_FOR_BOOLEAN: msgid("a text instead of true or false"),
    Rule.LETTER_CASE: msgid("other spelling of an allowed word"),
    Rule.OUTSIDE_LIST: msgid("a word that isn’t allowed there"),
    Rule.TIMESTAMP_WITHOUT_ZONE: msgid("time without a zone"),
    Rule.TIMESTAMP_FORMAT: msgid("time in another form"),
    Rule.TIMESTAMP_AS_NUMBER: msgid("time as a number"),
    Rule.TEXT_TOO_LONG: msgid("text too long"),
    Rule.TEXT_CUT: msgid("text far too long, cut"),
    Rule.BROKEN_TEXT: msgid("broken characters"),
    Rule.LIST_OF_ONE: msgid("a single value instead of a list"),
    Rule.ENTRY_LEFT_OUT: msgid("entry of no use, left out"),
    Rule.STRAY_COMMA: msgid("stray comma"),
    Rule.TOO_MANY_ENTRIES: msgid("too many entries"),
    Rule.TOO_MUCH_TO_KEEP: msgid("more than is kept"),
    Rule.OLDEST_DROPPED: msgid("more than is kept, the oldest dropped"),
    Rule.MORE_DEVIATIONS: msgid("further departures in the same message"),
    Rule.CROWDED_PAYLOAD: msgid("crowded message"),
    REFUSED: msgid("not understood, refused"),
    "byte_order_mark": msgid("byte order mark before the message"),
    "nul_byte": msgid("null bytes behind the message"),
    "trailing_comma": msgid("stray comma"),
    "missing_payload": msgid("message without content"),
    "binary_frame": msgid("binary instead of text"),
    "error_description": msgid("error without a description"),
    "error_details": msgid("error with unreadable details"),
    "no_subprotocol": msgid("connects without naming its OCPP version"),
}
"""By the rule as docs/deviations.md has it."""
