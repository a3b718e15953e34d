"""What pydantic finds wrong with a value, in words of ours.

The API keeps pydantic's own sentence, which scripts and logs know; the pages say the pattern that stands here for the
error's type. A type that isn't here is quoted within a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails, PydanticCustomError

from mcpp.phrases import Phrase, phrase_of, reworded

_TEXT: Final = "must be a text"
_NUMBER: Final = "must be a number"
_WHOLE: Final = "must be a whole number"
_LIST: Final = "must be a list"
_OBJECT: Final = "must be an object of JSON"
_TRUTH: Final = "must be true or false"
_DAY: Final = "must be a day such as 2026-03-31"
_TIME: Final = "must be a time with its zone, such as 2026-05-04T09:30:00Z"
_NO_JSON: Final = "isn't readable as JSON"

WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "extra_forbidden": "is unknown here",
    "none_required": "must be empty (null)",
    "enum": "must be one of these: {expected}",
    "literal_error": "must be one of these: {expected}",
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "string_pattern_mismatch": "doesn't have the form that is needed: {pattern}",
    "too_short": "needs at least {min_length} entries",
    "too_long": "may have at most {max_length} entries",
    "bytes_too_long": "may have at most {max_length} bytes",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "is too large a number",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_places": "may have at most {decimal_places} decimals",
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "json_invalid": _NO_JSON,
    "json_type": _NO_JSON,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
}
"""By pydantic's error types; in braces what its context has."""

_OF_TEXTS: Final[Mapping[str, str]] = {
    "too_short": "should have {min_length} characters or more",
    "too_long": "should have {max_length} characters at most",
}
"""Of a text that has passed another validator before its length is looked at pydantic speaks as of a list."""

_WHY: Final = "why"
"""Where the context of an error of ours has its phrase."""


def not_valid(kind: str, why: str) -> PydanticCustomError:
    """To be raised by a validator of ours; `why` is a phrase, so that the pages can translate it."""
    return PydanticCustomError(kind, "{why}", {_WHY: why})


def mistake_text(details: ErrorDetails | Mapping[str, Any]) -> Phrase:
    """The message of one of the errors of a ValidationError."""
    kind, text, context = details["type"], details["msg"], details.get("ctx") or {}
    why = phrase_of(context["error"]) if isinstance(context.get("error"), Exception) else context.get(_WHY)
    if isinstance(why, Phrase):
        return reworded(text, "{why}", why=why)
    if kind in _OF_TEXTS and isinstance(details.get("input"), str):
        kind, text = f"string_{kind}", _OF_TEXTS[kind].format(**context)
    if kind in {"string_too_short", "too_short"} and context.get("min_length") == 1:
        return reworded(text, "must not be empty")
    pattern = WORDS.get(kind)
    if pattern is None:
        return reworded(text, "isn't accepted: “{original}”", original=text)
    facts = {name: _spelled(value) for name, value in context.items()}
    return reworded(text, pattern, **facts)


def _spelled(value: object) -> str | int:
    """A bound, or pydantic's list of what is allowed: `'a', 'b' or 'c'`."""
    return value if isinstance(value, int) else str(value).replace("' or '", "', '")
