"""The repairs for what chargers in the field get wrong, in every OCPP version. A new rule is a line in the table."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from mcpp.ocppj.repair import Drop, Json, Keep, Mend, Number, Replace, Rule

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_QUOTED = re.compile(r"'([^']*)'")
_TIMESTAMP = re.compile(
    r"\s*(?P<date>\d{4}-\d{2}-\d{2})(?:[Tt]|\s+)(?P<minute>\d{2}:\d{2})(?::(?P<second>\d{2}))?"
    r"(?:[.,](?P<fraction>\d+))?\s*(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?\s*\Z"
)


def _drop(_value: Json, _error: ErrorDetails) -> Mend | None:
    return Drop()


def _drop_null(value: Json, _error: ErrorDetails) -> Mend | None:
    return Drop() if value is None else None


def _as_text(value: Json, _error: ErrorDetails) -> Mend | None:
    if isinstance(value, Number):
        return Replace(value.text)
    if isinstance(value, int) and not isinstance(value, bool):
        return Replace(str(value))
    return None


def _as_number(value: Json, _error: ErrorDetails) -> Mend | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 18:
        return None
    return Replace(int(number) if number == number.to_integral_value() else Number.of(text))


def _as_integer(value: Json, _error: ErrorDetails) -> Mend | None:
    return Replace(round(Decimal(value.text))) if isinstance(value, Number) and abs(value) < 1e18 else None


def _as_member(value: Json, error: ErrorDetails) -> Mend | None:
    """The member that differs in letter case only; pydantic names the members in the error's context."""
    if not isinstance(value, str):
        return None
    members = _QUOTED.findall(str(error.get("ctx", {}).get("expected", "")))
    wanted = value.strip().casefold()
    return next((Replace(member) for member in members if member.casefold() == wanted), None)


def _as_utc(value: Json, _error: ErrorDetails) -> Mend | None:
    found = _TIMESTAMP.match(value) if isinstance(value, str) else None
    return Replace(_rfc_3339(found)) if found and not found["zone"] else None


def _as_timestamp(value: Json, _error: ErrorDetails) -> Mend | None:
    found = _TIMESTAMP.match(value) if isinstance(value, str) else None
    return Replace(_rfc_3339(found)) if found and found["zone"] else None


def _rfc_3339(found: re.Match[str]) -> str:
    zone = found["zone"] or "Z"
    if zone not in {"Z", "z"}:
        hours, minutes = zone[1:3], zone[3:].lstrip(":") or "00"
        zone = f"{zone[0]}{hours}:{minutes}"
    fraction = f".{found['fraction']}" if found["fraction"] else ""
    return f"{found['date']}T{found['minute']}:{found['second'] or '00'}{fraction}{zone}"


def _keep_whole(value: Json, error: ErrorDetails) -> Mend | None:
    longest = error.get("ctx", {}).get("max_length")
    return Keep(value[:longest]) if isinstance(value, str) and isinstance(longest, int) else None


_NUMBER_WANTED: Final = frozenset({"int_type", "float_type", "decimal_type", "decimal_parsing"})
_MEMBER_WANTED: Final = frozenset({"enum", "literal_error"})
_PATTERN: Final = frozenset({"string_pattern_mismatch"})

FIELD_RULES: Final[tuple[Rule, ...]] = (
    Rule("unknown_field", frozenset({"extra_forbidden"}), _drop),
    Rule("null_field", None, _drop_null),
    Rule("number_for_text", frozenset({"string_type"}), _as_text),
    Rule("text_for_number", _NUMBER_WANTED, _as_number),
    Rule("decimal_for_integer", frozenset({"int_type", "int_from_float"}), _as_integer),
    Rule("letter_case", _MEMBER_WANTED, _as_member),
    Rule("timestamp_without_zone", _PATTERN, _as_utc),
    Rule("timestamp_format", _PATTERN, _as_timestamp),
    Rule("text_too_long", frozenset({"string_too_long"}), _keep_whole),
)
"""Tried in this order; each name is the `rule` label of `mcpp_contract_deviations_total`."""
