"""What must not be read in logs: secrets, masked in log lines, payloads and texts alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import orjson

from mcpp.bounds import LOG_FIELD, LOG_LIST, LOG_PAYLOAD, LOG_SEARCHED, LOG_STACK, MARK, cut
from mcpp.redaction import DEPTH_LIMIT, MASK, SECRET_NAMES, is_secret, may_hide_secret, redact, redact_text

__all__ = ["MASK", "SECRET_NAMES", "is_secret", "redact", "redact_payload", "redact_text"]

_CONTAINER_LIMIT = 200
"""With fewer brackets a payload can't be nested deeper than orjson writes (254 levels)."""


def shown(text: str, most: int = LOG_FIELD) -> str:
    """A text as a line shows it: secrets masked, in at most so many bytes.

    Four times as many are searched: what follows may say that what is shown is secret.
    """
    if len(text) * 4 <= most:
        return redact_text(text)
    return cut(redact_text(cut(text, most * 4)), most)


def bounded(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields of a line, secrets masked, each within its bound."""
    return {
        name: shown(value, LOG_STACK if name == "stack" else LOG_FIELD)
        if isinstance(value, str) and not is_secret(name)
        else value
        for name, value in cast("dict[str, object]", redact(_within(fields))).items()
    }


def _within(fields: Mapping[str, object]) -> dict[str, object]:
    """The same with no more in it than is searched for secrets."""
    within: dict[str, object] = {}
    for name, value in fields.items():
        most = 4 * (LOG_STACK if name == "stack" else LOG_FIELD)
        within[name] = cut(value, most) if isinstance(value, str) else _Room(LOG_STACK).of(value, DEPTH_LIMIT)
    return within


class _Room:
    """What is left of a field's bound while a value with others in it is copied."""

    def __init__(self, most: int) -> None:
        self._left = most

    def of(self, value: object, depth: int) -> object:
        if isinstance(value, str):
            kept = cut(value, max(len(MARK.encode()), min(LOG_FIELD, self._left)))
            self._left -= len(kept)
            return kept
        self._left -= 8
        if isinstance(value, Mapping) and depth:
            return {
                cut(name, LOG_FIELD) if isinstance(name, str) else name: item
                for name, item in self._items(value, depth)
            }
        if isinstance(value, list | tuple) and depth:
            copied = [self.of(item, depth - 1) for item in value[:LOG_LIST] if self._left > 0]
            return copied if len(copied) == len(value) else [*copied, MARK]
        return value

    def _items(self, value: Mapping[object, object], depth: int) -> Iterator[tuple[object, object]]:
        for count, (name, item) in enumerate(value.items()):
            if count >= LOG_LIST or self._left <= 0:
                yield MARK, len(value) - count
                return
            self._left -= len(name) if isinstance(name, str) else 8
            yield name, self.of(item, depth - 1)


def redact_payload(payload: bytes) -> object:
    """An OCPP payload as a value for a log line, secrets masked; what isn't JSON stays text.

    Of a large one the line says how large it is, and how it begins: searching it would hold up every charger.
    """
    if len(payload) > LOG_PAYLOAD:
        return _beginning(payload)
    suspicious = may_hide_secret(payload)
    if suspicious and len(payload) > LOG_SEARCHED:
        return _beginning(payload)
    may_be_deep = payload.count(b"[") + payload.count(b"{") > _CONTAINER_LIMIT
    try:
        value: object = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return redact_text(payload.decode(errors="backslashreplace"))
    return redact(value) if suspicious or may_be_deep else value


def _beginning(payload: bytes) -> object:
    return {"bytes": len(payload), "begins": shown(payload[: LOG_FIELD * 4].decode(errors="replace"))}
