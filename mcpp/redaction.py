"""What is a secret, by its name: one list for whatever is logged, stored or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby

MASK = "***"

SECRET_NAMES = (
    "authorization",
    "authorizationkey",
    "password",
    "pass",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "sharedkey",
    "encryptionkey",
    "networkkey",
    "wifikey",
    "wlankey",
    "wpakey",
    "wepkey",
    "psk",
    "cookie",
    "credential",
    "credentials",
)
"""Endings of the names whose values are secret: of JSON keys, headers, query parameters, OCPP configuration keys."""

SHORT_SECRET_NAMES = ("pin", "puk")
"""The same for names that end so many innocent words that they count as a word of their own only: SimPin, not spin."""

NAME_HINTS = ("key", "pass", "pwd", "psk", "secret", "token", "authoriz", "cookie", "credential", "pin", "puk")
"""Where none of these occurs, in lower case, none of the names does."""

PAYLOAD_HINTS = (b"://", b"\\", *(hint.encode() for hint in NAME_HINTS))
"""A payload in which none of these occurs, in lower case, holds no secret and need not be searched."""

DEPTH_LIMIT = 64
"""Deeper nesting isn't followed; no OCPP payload comes near it."""

# A text may hold JSON, that JSON's strings may hold JSON again, and so on; a slash may be written as \/.
_QUOTE = r"""\\{0,7}["']"""
_SEPARATOR = "[-_. ]?"
_SECOND_WORD = re.compile("(?<=.)(?:key|word|phrase)$")


def _by_first_letter(names: tuple[str, ...]) -> str:
    """Any of the names. Where a text has none, most places are left after a look at one letter: half the time."""
    spellings = [_SECOND_WORD.sub(lambda word: _SEPARATOR + word[0], name) for name in sorted(names)]
    grouped = groupby(spellings, key=lambda spelling: spelling[0])
    return "|".join(f"{letter}(?:{'|'.join(name[1:] for name in group)})" for letter, group in grouped)


_FIRST_LETTERS = "".join(sorted({name[0] for name in (*SECRET_NAMES, *SHORT_SECRET_NAMES)}))
_SHORT = "|".join(SHORT_SECRET_NAMES)
_SHORT_TITLES = "|".join(name.title() for name in SHORT_SECRET_NAMES)
# A word of its own: behind no letter, behind a small letter with a capital one, or behind SIM and the like.
_BEGINS_A_WORD = (
    rf"(?:(?<![A-Za-z])|(?-i:(?<=[a-z])(?={_SHORT_TITLES}|{_SHORT.upper()})|(?<=[A-Z])(?={_SHORT_TITLES})))"
)
_BEHIND_ITS_OWNER = "|".join(f"(?<={owner})" for owner in ("sim", "gsm", "card", "user", "admin", "modem"))
# What may follow: SimPinCode, Password2, WifiPwd_1.
_TAIL = rf"(?:{_SEPARATOR}(?:code|value|hash|new|old))?{_SEPARATOR}[0-9]{{0,3}}"
_ENDS_LIKE_A_SECRET = (
    rf"(?=[{_FIRST_LETTERS}])(?:{_by_first_letter(SECRET_NAMES)}|(?=p)(?:{_BEGINS_A_WORD}|{_BEHIND_ITS_OWNER})(?:{_SHORT}))"
    rf"(?<!id.token)(?<!idtoken)(?<!bypass)(?<!compass){_TAIL}"
)
_QUOTED = r"""\\{1,7}"[^"\\]*\\{1,7}"|b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'"""
_WORD = r"""[^\s"'\\,;&}\])]"""
_NAMED_SECRET = re.compile(
    rf"""({_ENDS_LIKE_A_SECRET}(?:{_QUOTE}\s*[:,=]|\s*[:=])\s*)(?!(?:{_QUOTE})?(?:value|readonly)(?:{_QUOTE})?[:=])"""
    rf"(?:{_QUOTED}|(?:(?:basic|bearer|digest)\s+)?{_WORD}+)",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(rf"{_ENDS_LIKE_A_SECRET}\W*\Z", re.IGNORECASE)
_LONGEST_NAME = 256
_BEARER = re.compile(r"(\bbearer\s+)[\w.~+/=-]+", re.IGNORECASE)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL)

# ChangeConfiguration.req and GetConfiguration.conf, quoted in a text: the secret's name is a value, too. All repeats
# here are bounded: a charger's text must not make the search quadratic.
_NAMING = rf"""\bkey(?:{_QUOTE})?[:=] ?{_QUOTE}[^"'\\]{{0,50}}?{_ENDS_LIKE_A_SECRET}{_QUOTE}"""
_VALUE_OF = rf"\bvalue(?:{_QUOTE})?[:=] ?"
_BETWEEN = r"[^{}()]{0,40}?"
_SHORT_VALUE = rf"(?>{_QUOTED}|{_WORD}{{1,500}})"
_KEY_THEN_VALUE = re.compile(rf"({_NAMING}{_BETWEEN}{_VALUE_OF}){_SHORT_VALUE}", re.IGNORECASE)
_VALUE_THEN_KEY = re.compile(rf"({_VALUE_OF}){_SHORT_VALUE}(?={_BETWEEN}{_NAMING})", re.IGNORECASE)

# A port is no password.
_URL_CREDENTIALS = re.compile(
    r"""(:\\?/\\?/)(?:[^\s"'<>/?#@:\[]{0,128}:(?!\d{1,5}(?:[/?#\s]|$))[^\s"'<>]{0,128}|[^\s"'<>/?#]{1,128})@"""
)
# A storage service's link: who has its signature may read or write the file.
_URL_SIGNATURE = re.compile(r"""([?&](?:x-(?:amz|goog|oss)-)?sig(?:nature)?=)[^&#\s"'<>]+""", re.IGNORECASE)
# A link of our own listener for files (mcpp.files.store): its token is all that the listener asks for.
_FILE_LINK = re.compile(r"(/(?:firmware|uploads)\\?/)[\w-]{32}(?![\w-])")


def is_secret(name: str) -> bool:
    """Whether what is called so is to be masked, by its last words; a number behind them says no more than they do.

    The same rule finds names in texts. Letter case matters only where it separates words.
    """
    return _ends_like_a_secret(name[-_LONGEST_NAME:])


@lru_cache(4096)
def _ends_like_a_secret(name: str) -> bool:
    lowered = name.lower()
    return any(hint in lowered for hint in NAME_HINTS) and _SECRET_NAME.search(name) is not None


def redact_text(text: str) -> str:
    """The text without the credentials in its URLs, links to files included, and without what a secret's name names."""
    if "/" in text:
        text = _FILE_LINK.sub(rf"\1{MASK}", text)
        if "://" in text or ":\\/" in text:
            text = _URL_SIGNATURE.sub(rf"\1{MASK}", _URL_CREDENTIALS.sub(rf"\1{MASK}@", text))
    lowered = text.lower()
    if any(hint in lowered for hint in NAME_HINTS):
        if "value" in lowered:
            text = _VALUE_THEN_KEY.sub(rf"\1{MASK}", _KEY_THEN_VALUE.sub(rf"\1{MASK}", text))
        text = _NAMED_SECRET.sub(rf"\1{MASK}", _PRIVATE_KEY.sub(rf"\1{MASK}", text))
    return _BEARER.sub(rf"\1{MASK}", text) if "bearer" in lowered else text


def may_hide_secret(payload: bytes) -> bool:
    """Whether an OCPP payload or frame has to be searched."""
    lowered = payload.lower()
    return any(hint in lowered for hint in PAYLOAD_HINTS)


def redact(value: object) -> object:
    """A copy of a JSON-like value with its secrets masked."""
    return _redact(value, DEPTH_LIMIT)


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
