"""Strict first, repair second: what breaks the contract is read by rule, in one pass over what came.

A payload that meets the contract passes in one pydantic pass and never comes here. One that fails is parsed, and its
model's readers (`mcpp.ocppj.readers`) take each member for what is meant by it; every departure is noted as a
deviation. What can't be read is left out where the contract can do without it, has a stand-in where the version names
one (`Repairs`), and else makes a fault.

How much one message may cause is bounded: entries of lists, repairs, and deviations that are told one by one.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel

from mcpp.ocppj import crowded
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Deviation
from mcpp.ocppj.readers import Repairs
from mcpp.ocppj.rules import Json, Number, Rule
from mcpp.ocppj.work import Work

M = TypeVar("M", bound=BaseModel)

_LONGEST_INTEGER: Final = 200
"""Digits that are kept of a longer one: far out of any range, and still quickly converted."""

_LONG_INTEGER: Final = re.compile(rb"(?<=[:,\[ \t\r\n-])[0-9]{200}[0-9]++")
_NINES: Final = bytes.maketrans(b"012345678", b"999999999")
_MANY_DIGITS: Final = b"9" * (_LONGEST_INTEGER + 1)
_STRAY_COMMA: Final = re.compile(rb'(?P<kept>"[^"\\]*+(?:\\.[^"\\]*+)*+")|,(?=[ \t\r\n]*+[}\]])', re.DOTALL)
_RAW_CONTROL: Final = "Invalid control character"
"""How json tells of a control character in a text that should be escaped."""
_MANY_FRACTIONS: Final = 100_000
"""Points in a payload from which on numbers aren't kept as they were written: `230.10` becomes `230.1`."""


def repair(model: type[M], payload: bytes, repairs: Repairs, received_at: datetime) -> tuple[M, list[Deviation]]:
    """Read a payload that isn't valid as its model; raises CallFault where no rule helps.

    What should have a time and has none gets `received_at`, when the message came.
    """
    work = Work(payload, received_at)
    return repairs.reader(model).read_whole(_parse(payload, work), work), work.told()


def thinned(model: type[BaseModel], payload: bytes, repairs: Repairs) -> tuple[bytes, list[Deviation]]:
    """A crowded payload (`mcpp.ocppj.crowded`) without what is over; any other as it is. Raises CallFault."""
    if not crowded.is_crowded(payload):
        return payload, []
    try:
        thin = crowded.cut(payload, repairs.reader(model).shape)
    except crowded.NotCut as error:
        raise CallFault(ErrorCode.FORMAT_VIOLATION, "the payload is not a JSON object, or a very deep one") from error
    return thin, [Deviation(Rule.CROWDED_PAYLOAD, "", f"{len(payload)} bytes", f"{len(thin)} bytes")]


def _parse(payload: bytes, work: Work) -> dict[str, Json]:
    # Outside of texts, which begin otherwise: Python takes its time to convert thousands of digits.
    if _MANY_DIGITS in payload.translate(_NINES):
        payload = _LONG_INTEGER.sub(lambda digits: digits[0][:_LONGEST_INTEGER], payload)
    text = payload.decode(errors="replace")
    keeps_numbers = text.count(".") < _MANY_FRACTIONS
    try:
        document = _load(text, keeps_numbers, work)
    except (ValueError, RecursionError) as error:
        document = _load_mended(payload, keeps_numbers, work, error)
    if not isinstance(document, dict):
        raise CallFault(ErrorCode.FORMAT_VIOLATION, "the payload is not a JSON object")
    if "\ufffd" in text and "\ufffd".encode() not in payload:
        work.note(Rule.BROKEN_TEXT, None, "", "", "")
    return document


def _load(text: str, keeps_numbers: bool, work: Work) -> Json:
    try:
        return _decode(text, keeps_numbers, strict=True)
    except json.JSONDecodeError as error:
        if not error.msg.startswith(_RAW_CONTROL):
            raise
    document = _decode(text, keeps_numbers, strict=False)
    work.note(Rule.BROKEN_TEXT, None, "", "", "")
    return document


def _decode(text: str, keeps_numbers: bool, *, strict: bool) -> Json:
    # NaN and Infinity aren't JSON; what they say is that there is no value.
    document: Json = json.loads(
        text, parse_float=Number if keeps_numbers else None, parse_constant=_no_value, strict=strict
    )
    return document


def _no_value(_text: str) -> None:
    return None


def _load_mended(payload: bytes, keeps_numbers: bool, work: Work, error: Exception) -> Json:
    """What isn't JSON but for a comma too many."""
    mended = _STRAY_COMMA.sub(rb"\g<kept>", payload) if len(payload) <= crowded.LARGE else payload
    if len(mended) == len(payload):
        raise CallFault(ErrorCode.FORMAT_VIOLATION, f"the payload is not JSON: {error}") from error
    work.note(Rule.STRAY_COMMA, None, "", ",", "")
    try:
        return _load(mended.decode(errors="replace"), keeps_numbers, work)
    except (ValueError, RecursionError) as second:
        raise CallFault(ErrorCode.FORMAT_VIOLATION, f"the payload is not JSON: {second}") from second
