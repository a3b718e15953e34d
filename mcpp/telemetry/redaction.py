"""What must not be read in logs: one list of secrets, masked in log lines, payloads and texts alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

MASK = "***"

SECRET_NAMES = (
    "authorization",
    "authorizationkey",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "cookie",
    "credentials",
)
"""Endings of the names whose values are secret: of JSON keys, headers, query parameters, OCPP configuration keys."""

PAYLOAD_HINTS = (b"://", b"\\", b"key", b"pass", b"secret", b"token", b"authoriz", b"cookie", b"credential")
"""A payload in which none of these occurs, in lower case, holds no secret and need not be searched."""

_DEPTH_LIMIT = 64
"""Deeper nesting isn't followed; no OCPP payload comes near it."""

_CONTAINER_LIMIT = 200
"""With fewer brackets a payload can't be nested deeper than orjson writes (254 levels)."""

_IDENTIFICATION = "idtoken"
"""OCPP 2.0.1's word for an id tag: it ends like a secret and is none."""

_QUOTE = r"""\\?["']"""
_SPELLINGS = "|".join(
    name.replace("authorizationkey", "authorization[-_ ]?key")
    .replace("apikey", "api[-_ ]?key")
    .replace("privatekey", "private[-_ ]?key")
    for name in sorted(SECRET_NAMES, key=len, reverse=True)
)
_VALUE = r"""\\"[^"\\]*\\"|b?"(?:[^"\\]|\\.)*"|b?'[^']*'|(?:(?:basic|bearer|digest)\s+)?[^\s"'\\,;&}\])]+"""
_NAMED_SECRET = re.compile(
    rf"((?:{_SPELLINGS})(?<!id.token)(?<!idtoken)(?:{_QUOTE}\s*[:,=]|\s*[:=])\s*)(?:{_VALUE})", re.IGNORECASE
)
_BEARER = re.compile(r"(\bbearer\s+)[\w.~+/=-]+", re.IGNORECASE)
# Bounded repeats: a charger's text must not make the search quadratic. A port is no password.
_URL_CREDENTIALS = re.compile(
    r"""(://)(?:[^\s"'<>/?#@:\[]{0,128}:(?!\d{1,5}(?:[/?#\s]|$))[^\s"'<>]{0,128}|[^\s"'<>/?#]{1,128})@"""
)


def is_secret(name: str) -> bool:
    """Whether what is called so is to be masked; letter case and separators don't matter."""
    plain = re.sub(r"[^a-z0-9]", "", name[:256].lower())
    return plain.endswith(SECRET_NAMES) and not plain.endswith(_IDENTIFICATION)


def redact_text(text: str) -> str:
    """The text without the credentials in its URLs, and without what follows a secret's name."""
    if "://" in text:
        text = _URL_CREDENTIALS.sub(rf"\1{MASK}@", text)
    text = _NAMED_SECRET.sub(rf"\1{MASK}", text)
    return _BEARER.sub(rf"\1{MASK}", text)


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
        name: MASK
        if item is not None and ((value_is_secret and name == "value") or (isinstance(name, str) and is_secret(name)))
        else _redact(item, depth)
        for name, item in fields.items()
    }
