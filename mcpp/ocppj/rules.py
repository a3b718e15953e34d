"""The rules by which what breaks the contract is read, in every OCPP version: their names, and what they do to a value.

A rule's name is the `rule` label of `mcpp_contract_deviations_total`; docs/deviations.md lists them for people. Each
takes a value of JSON that isn't what the contract wants there, and looks at no more of it than a bounded number of
characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from typing import Final, TypeAlias

from mcpp import bounds
from mcpp.ocppj.times import Written, read_moment
from mcpp.ocppj.wire import to_rfc_3339

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_LONGEST_NUMBER: Final = 64
"""Characters of a number that is looked at."""
_LARGEST_EXPONENT: Final = 18
"""Of ten: what is larger is no count of anything, and what has more digits after the point no measure."""
_DEEPEST: Final = 64
"""Levels of lists and objects in each other, where the contract takes anything."""
LARGEST_INTEGER: Final = 2**63 - 1
"""What a database holds."""


class Rule(StrEnum):
    """What a charger did otherwise than the contract has it; in brackets, what was made of it."""

    UNKNOWN_FIELD = "unknown_field"
    NULL_FIELD = "null_field"
    MISSING_FIELD = "missing_field"
    EMPTY_FIELD = "empty_field"
    UNREADABLE_FIELD = "unreadable_field"
    NUMBER_FOR_TEXT = "number_for_text"
    BOOLEAN_FOR_TEXT = "boolean_for_text"
    OBJECT_FOR_TEXT = "object_for_text"
    TEXT_FOR_NUMBER = "text_for_number"
    DECIMAL_FOR_INTEGER = "decimal_for_integer"
    TOO_MANY_DECIMALS = "too_many_decimals"
    NUMBER_FOR_BOOLEAN = "number_for_boolean"
    TEXT_FOR_BOOLEAN = "text_for_boolean"
    LETTER_CASE = "letter_case"
    OUTSIDE_LIST = "outside_list"
    TIMESTAMP_WITHOUT_ZONE = "timestamp_without_zone"
    TIMESTAMP_FORMAT = "timestamp_format"
    TIMESTAMP_AS_NUMBER = "timestamp_as_number"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_CUT = "text_cut"
    BROKEN_TEXT = "broken_text"
    LIST_OF_ONE = "list_of_one"
    ENTRY_LEFT_OUT = "entry_left_out"
    STRAY_COMMA = "stray_comma"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_MUCH_TO_KEEP = bounds.Over.TOO_MUCH_TO_KEEP.value
    OLDEST_DROPPED = bounds.Over.OLDEST_DROPPED.value
    MORE_DEVIATIONS = "more_deviations"
    CROWDED_PAYLOAD = "crowded_payload"


class Number(str):
    """A JSON number with a fraction or an exponent, as its text: 230.10 must not become 230.1 where text is meant."""

    __slots__ = ()


class Unreadable(Exception):
    """Nothing that the contract wants at this place can be made of the value."""


Read: TypeAlias = tuple[object, tuple[Rule, ...]]
"""What a value was taken as, and by which rules; none for a value that meets the contract."""

Take: TypeAlias = Callable[[Json], Read]
"""Takes a value; raises Unreadable."""

RIGHT: Final[tuple[Rule, ...]] = ()


def as_text(value: Json, longest: int | None, most: int | None = None) -> tuple[str, tuple[Rule, ...]]:
    """Text, of at most so many characters by the contract; `most`: bytes that are kept, else by that length."""
    rules = RIGHT
    is_cut = False
    if isinstance(value, bool):
        value, rules = str(value).lower(), (Rule.BOOLEAN_FOR_TEXT,)
    elif not isinstance(value, str):
        value, rules = number_text(value), (Rule.NUMBER_FOR_TEXT,)
    elif isinstance(value, Number):
        value, rules = str(value), (Rule.NUMBER_FOR_TEXT,)
    if longest is not None and len(value) > longest:
        most = most or bounds.text_bound(longest)
        is_cut = bounds.is_over(value, most)
        rules = (*rules, Rule.TEXT_CUT if is_cut else Rule.TEXT_TOO_LONG)
        if is_cut:
            value = value[: most + 1]
    if not value.isascii():
        # JSON's escapes can spell half a surrogate pair, which is no text.
        whole = value.encode(errors="replace").decode()
        if whole != value:
            value, rules = whole, (*rules, Rule.BROKEN_TEXT)
    return bounds.cut(value, most) if is_cut and most is not None else value, rules


def number_text(value: Json) -> str:
    """A number of JSON as it was written; raises Unreadable for anything else."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Unreadable


def as_integer(value: Json) -> Read:
    """A whole number of at most 64 bits."""
    if type(value) is int:
        rules = RIGHT
        number = value
    else:
        decimal = _decimal(value)
        number = round(decimal)
        rules = (_number_rule(value, is_whole=number == decimal),)
    if abs(number) > LARGEST_INTEGER:
        raise Unreadable
    return number, rules


def _number_rule(value: Json, *, is_whole: bool) -> Rule:
    is_text = isinstance(value, str) and not isinstance(value, Number)
    return Rule.TEXT_FOR_NUMBER if is_text and is_whole else Rule.DECIMAL_FOR_INTEGER


def as_decimal(value: Json) -> tuple[Decimal, tuple[Rule, ...]]:
    """A decimal of any precision."""
    decimal = _decimal(value)
    return decimal, (Rule.TEXT_FOR_NUMBER,) if isinstance(value, str) and not isinstance(value, Number) else RIGHT


def as_tenths(value: Json) -> Read:
    """A decimal, of which the contract wants no more than tenths."""
    decimal, rules = as_decimal(value)
    exponent = decimal.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -1:
        rules = (*rules, Rule.TOO_MANY_DECIMALS)
    return decimal, rules


def _decimal(value: Json) -> Decimal:
    """A number, or a text that is one, bounded before it's converted."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise Unreadable
    text = value if isinstance(value, str) else number_text(value)
    if len(text) > _LONGEST_NUMBER:
        raise Unreadable
    try:
        decimal = Decimal(text.strip())
    except InvalidOperation:
        raise Unreadable from None
    if not decimal.is_finite() or (abs(decimal.adjusted()) > _LARGEST_EXPONENT and decimal):
        raise Unreadable
    return decimal


def within(take: Take, least: float | Decimal | None, most: float | Decimal | None) -> Take:
    """The same within bounds; nothing is made of what is outside of them."""

    def taken(value: Json) -> Read:
        number, rules = take(value)
        assert isinstance(number, int | Decimal)
        if (least is not None and number < least) or (most is not None and number > most):
            raise Unreadable
        return number, rules

    return taken if least is not None or most is not None else take


def as_anything(value: Json) -> Read:
    """Whatever it is, unless it's deeper than anybody means."""
    return _anything(value, _DEEPEST), RIGHT


def _anything(value: Json, levels: int) -> Json:
    if levels == 0:
        raise Unreadable
    match value:
        case Number():
            return float(value)
        case str():
            return as_text(value, None)[0]
        case list():
            return [_anything(item, levels - 1) for item in value]
        case dict():
            return {as_text(name, None)[0]: _anything(item, levels - 1) for name, item in value.items()}
    return value


_TRUTHS: Final[Mapping[str, bool]] = {
    "true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip


def as_boolean(value: Json) -> Read:
    """True or false."""
    if isinstance(value, bool):
        return value, RIGHT
    is_text = isinstance(value, str) and not isinstance(value, Number)
    text = str(value) if isinstance(value, str) else str(value) if value in (0, 1) else ""
    truth = _TRUTHS.get(text.strip().lower()) if len(text) <= _LONGEST_NUMBER else None
    if truth is None:
        raise Unreadable
    return truth, (Rule.TEXT_FOR_BOOLEAN if is_text else Rule.NUMBER_FOR_BOOLEAN,)


def as_moment(value: Json) -> Read:
    """A moment in UTC."""
    if isinstance(value, dict | list | bool) or value is None:
        raise Unreadable
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise Unreadable
    read = read_moment(value if isinstance(value, str) else str(value))
    if read is None:
        raise Unreadable
    return read[0], _OF_WRITTEN[read[1]]


_OF_WRITTEN: Final[Mapping[Written, tuple[Rule, ...]]] = {
    Written.RIGHT: RIGHT,
    Written.WITHOUT_ZONE: (Rule.TIMESTAMP_WITHOUT_ZONE,),
    Written.OTHERWISE: (Rule.TIMESTAMP_FORMAT,),
    Written.AS_NUMBER: (Rule.TIMESTAMP_AS_NUMBER,),
}

_BESIDE_LETTERS: Final = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """A text without what people and programs write differently: letter case, blanks, hyphens, points."""
    return _BESIDE_LETTERS.sub("", text).casefold()


_BRIEF: Final = 100
"""Characters of a value that a deviation keeps."""


def brief(value: object) -> str:
    """A value as JSON text, at most a hundred characters of it, whatever its size."""
    text = _brief(value, _BRIEF + 1)
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


def _brief(value: object, room: int) -> str:
    match value:
        case Enum():
            return _brief(value.value, room)
        case Number():
            return value[:room]
        case str():
            return json.dumps(value[:room].encode(errors="replace").decode(), ensure_ascii=False)
        case None | bool() | float():
            return json.dumps(value)
        case int():
            return str(value) if abs(value) <= LARGEST_INTEGER else str(value)[:room]
        case datetime():
            return f'"{to_rfc_3339(value)}"'
        case dict():
            return _brief_items(((f"{_brief(str(name), room)}:", item) for name, item in value.items()), "{}", room)
        case list():
            return _brief_items((("", item) for item in value), "[]", room)
        case _:
            return str(value)[:room]


def _brief_items(items: Iterator[tuple[str, object]], brackets: str, room: int) -> str:
    text = brackets[0]
    for name, item in items:
        if len(text) >= room:
            break
        comma = "," if len(text) > 1 else ""
        text += f"{comma}{name}{_brief(item, room - len(text))}"
    return text + brackets[1]
