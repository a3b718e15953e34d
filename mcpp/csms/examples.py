"""What a charger's message held, as the conformance record shows it: short, and without secrets."""

from __future__ import annotations

import json
import re
from typing import Final

from mcpp.domain.conformance import TEXT_LIMIT
from mcpp.redaction import MASK, NAME_HINTS, is_secret, redact_text

_INDEX: Final = re.compile(r"\[\d+\]")
_STEPS: Final = re.compile(r"[.\[\]]+")

_SEARCHED: Final = 5 * TEXT_LIMIT
"""Characters of a text that are looked at: what is masked becomes shorter, so more than is shown."""

_LONG_NAME: Final = 50
"""A name that long may have been cut, and with it what says that its value is a secret."""

_HARMLESS: Final = frozenset({"", "null", "true", "false", "0", "1", "{}", "[]"})
"""Shown wherever it stands, as a text, too: no secret is one of these."""


def field_of(location: str) -> str:
    """A place in a payload without its list indexes: `meterValue[].sampledValue[].unit`."""
    return masked_text(_INDEX.sub("[]", location[:_SEARCHED]))


def masked_text(text: str) -> str:
    """A text about a message, cut, without the secrets that it quotes."""
    return redact_text(_storable(text[:_SEARCHED]))[:TEXT_LIMIT]


def masked_value(value: str, field: str, *, opaque: bool) -> str:
    """A field's value, given as JSON text that may have been cut, without what may be secret in it.

    Where it is `opaque`, it may be secret though nothing says so: only its kind and length are shown.
    """
    if not value:
        return ""
    names = _STEPS.split(field)
    if any(map(is_secret, names)):
        return MASK
    opaque = opaque or max(map(len, names)) >= _LONG_NAME
    value = _storable(value[: TEXT_LIMIT + 1])
    whole = _is_whole(value)
    if opaque and not (whole and value.strip('" ').lower() in _HARMLESS):
        return _kind_of(value, whole=whole)
    # Of what was cut, the part that would have shown a secret may be the one that is missing.
    if not whole and _may_hide(value):
        return _kind_of(value, whole=False)
    return redact_text(value)[:TEXT_LIMIT]


def _storable(text: str) -> str:
    """Without half a surrogate pair, which is no text of a database's."""
    return text.encode(errors="replace").decode()


def _is_whole(value: str) -> bool:
    try:
        json.loads(value, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _may_hide(value: str) -> bool:
    lowered = value.lower()
    return lowered[0] in "{[" or "://" in lowered or ":\\/" in lowered or any(hint in lowered for hint in NAME_HINTS)


def _kind_of(value: str, *, whole: bool) -> str:
    match value[0]:
        case "{":
            return "an object"
        case "[":
            return "a list"
        case first:
            kind = "number" if first in "-0123456789" else "text"
            length = len(value.strip('"'))
            return f"a {kind} of {length} characters" if whole else f"a {kind} of {length} characters or more"
