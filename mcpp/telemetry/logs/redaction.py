"""What must not be read in logs: secrets, masked in log lines, payloads and texts alike."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from mcpp.redaction import MASK, NAME_HINTS, SECRET_NAMES, is_secret, redact_text

__all__ = ["MASK", "PAYLOAD_HINTS", "SECRET_NAMES", "is_secret", "redact", "redact_payload", "redact_text"]

PAYLOAD_HINTS = (b"://", b"\\", *(hint.encode() for hint in NAME_HINTS))
"""A payload in which none of these occurs, in lower case, holds no secret and need not be searched."""

_DEPTH_LIMIT = 64
"""Deeper nesting isn't followed; no OCPP payload comes near it."""

_CONTAINER_LIMIT = 200
"""With fewer brackets a payload can't be nested deeper than orjson writes (254 levels)."""


def redact(value: object) -> object:
    """A copy of a JSON-like value with its secrets masked."""
    return _redact(value, _DEPTH_LIMIT)


def redact_payload(payload: bytes) -> object:
    """An OCPP payload as a value for a log line, secrets masked; what isn't JSON stays text."""
    lowered = payload.lower()
    suspicious = any(hint in lowered for hint in PAYLOAD_HINTS)
    may_be_deep = payload.count(b"[") + payload.count(b"{") > _CONTAINER_LIMIT
    try:
        value: object = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return redact_text(payload.decode(errors="backslashreplace"))
    return redact(value) if suspicious or may_be_deep else value


def _redact(value: object, depth: int) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return _redact_object(value, depth - 1) if depth else MASK
    if isinstance(value, list | tuple):
        return [_redact(item, depth - 1) for item in value] if depth else MASK
    return value


def _redact_object(fields: Mapping[object, object], depth: int) -> dict[object, object]:
    # ChangeConfiguration.req and GetConfiguration.conf name the secret beside its value (OCPP 1.6 §6.7, §7.28).
    named = fields.get("key")
    value_is_secret = isinstance(named, str) and is_secret(named)
    return {
        (redact_text(name) if isinstance(name, str) and "://" in name else name): MASK
        if item is not None and ((value_is_secret and name == "value") or (isinstance(name, str) and is_secret(name)))
        else _redact(item, depth)
        for name, item in fields.items()
    }
