"""Words of closed sets that pages show: states of certificates, kinds of reports, rules that chargers broke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mcpp.csms.conformance import REFUSED
from mcpp.ocppj.rules import Rule
from mcpp.web.states import msgid
from mcpp_generated.db.enums import CertificateState, ReportKind

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
