"""What is a secret, by its name: one list for whatever is logged, stored or shown."""

from __future__ import annotations

import re

MASK = "***"

SECRET_NAMES = (
    "authorization",
    "authorizationkey",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "secretkey",
    "presharedkey",
    "psk",
    "cookie",
    "credentials",
)
"""Endings of the names whose values are secret: of JSON keys, headers, query parameters, OCPP configuration keys."""

_IDENTIFICATION = "idtoken"
"""OCPP 2.0.1's word for an id tag: it ends like a secret and is none."""

_QUOTE = r"""\\?["']"""
_SPELLINGS = "|".join(
    name.replace("authorizationkey", "authorization[-_ ]?key")
    .replace("apikey", "api[-_ ]?key")
    .replace("privatekey", "private[-_ ]?key")
    .replace("secretkey", "secret[-_ ]?key")
    .replace("presharedkey", "pre[-_ ]?shared[-_ ]?key")
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
