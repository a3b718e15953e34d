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
    "vpnkey",
    "apnkey",
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

WRITE_ONLY = "WriteOnly"
"""Of a variable whose value may be set, never read (OCPP 2.0.1, MutabilityEnumType)."""

PAYLOAD_HINTS = (b"://", b"\\", WRITE_ONLY.lower().encode(), *(hint.encode() for hint in NAME_HINTS))
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

# The same of a variable, which SetVariables, GetVariables, NotifyReport and NotifyEvent name by an object (OCPP 2.x).
_NAMING_VARIABLE = (
    rf"""\bvariable(?:{_QUOTE})?[:=] ?\{{[^{{}}]{{0,80}}?{_QUOTE}?name(?:{_QUOTE})?[:=] ?"""
    rf"""{_QUOTE}[^"'\\]{{0,50}}?{_ENDS_LIKE_A_SECRET}{_QUOTE}"""
)
_VALUE_OF_VARIABLE = rf"\b(?:attributeValue|actualValue|value)(?:{_QUOTE})?[:=] ?"
_VARIABLE_THEN_VALUE = re.compile(
    rf"({_NAMING_VARIABLE}(?:(?!component|variable(?!Attr))[^()]){{0,250}}?{_VALUE_OF_VARIABLE}){_SHORT_VALUE}",
    re.IGNORECASE,
)
_VALUE_THEN_VARIABLE = re.compile(
    rf"({_VALUE_OF_VARIABLE}){_SHORT_VALUE}(?=(?:(?!value)[^()]){{0,250}}?{_NAMING_VARIABLE})", re.IGNORECASE
)
_UNREADABLE = rf"""\bmutability(?:{_QUOTE})?[:=] ?{_QUOTE}{WRITE_ONLY}\b"""
_VALUE_THEN_UNREADABLE = re.compile(
    rf"(\b{_VALUE_OF}){_SHORT_VALUE}(?=[^{{}}()]{{0,120}}?{_UNREADABLE})", re.IGNORECASE
)
_UNREADABLE_THEN_VALUE = re.compile(rf"({_UNREADABLE}[^{{}}()]{{0,120}}?{_VALUE_OF}){_SHORT_VALUE}", re.IGNORECASE)
# SetNetworkProfile's key of a virtual private network.
_KEY_OF_NETWORK = re.compile(
    rf"""(\b[av]pn(?:{_QUOTE})?[:=] ?\{{[^{{}}]{{0,4000}}?\bkey(?:{_QUOTE})?[:=] ?){_SHORT_VALUE}""", re.IGNORECASE
)

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


def is_secret_variable(
    component: str,
    variable: str,
    component_instance: str = "",
    variable_instance: str = "",
    *,
    mutability: str | None = None,
) -> bool:
    """Whether the value of a variable of the device model (OCPP 2.x) is to be masked, and never to be stored.

    One that can't be read is, and one whose name or instance is a secret's, by itself or behind its component's: the
    password of SecurityCtrlr's BasicAuthPassword, the Key of a component called Vpn.
    """
    return mutability == WRITE_ONLY or any(
        is_secret(name)
        for name in (variable, variable_instance, f"{component}.{variable}", f"{component_instance}.{variable}")
    )


def redact_text(text: str) -> str:
    """The text without the credentials in its URLs, links to files included, and without what a secret's name names."""
    if "/" in text:
        text = _FILE_LINK.sub(rf"\1{MASK}", text)
        if "://" in text or ":\\/" in text:
            text = _URL_SIGNATURE.sub(rf"\1{MASK}", _URL_CREDENTIALS.sub(rf"\1{MASK}@", text))
    lowered = text.lower()
    if "writeonly" in lowered:
        text = _UNREADABLE_THEN_VALUE.sub(rf"\1{MASK}", _VALUE_THEN_UNREADABLE.sub(rf"\1{MASK}", text))
    if any(hint in lowered for hint in NAME_HINTS):
        if "pn" in lowered:
            text = _KEY_OF_NETWORK.sub(rf"\1{MASK}", text)
        if "value" in lowered:
            text = _VALUE_THEN_KEY.sub(rf"\1{MASK}", _KEY_THEN_VALUE.sub(rf"\1{MASK}", text))
            if "variable" in lowered:
                text = _VALUE_THEN_VARIABLE.sub(rf"\1{MASK}", _VARIABLE_THEN_VALUE.sub(rf"\1{MASK}", text))
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
    hidden = _hidden_values(fields)
    return {
        (redact_text(name) if isinstance(name, str) and "://" in name else name): MASK
        if item is not None and (name in hidden or (isinstance(name, str) and is_secret(name)))
        else _redact(_within(name, item, hidden), depth)
        for name, item in fields.items()
    }


def _hidden_values(fields: Mapping[object, object]) -> frozenset[str]:
    """The members whose values are secret by what stands beside them."""
    # ChangeConfiguration.req and GetConfiguration.conf name the secret beside its value (OCPP 1.6 §6.7, §7.28).
    named = fields.get("key")
    if (isinstance(named, str) and is_secret(named)) or fields.get("mutability") == WRITE_ONLY:
        return _HIDDEN_VALUE
    # So do SetVariables, GetVariables, NotifyReport and NotifyEvent, by objects (OCPP 2.x).
    component, variable = fields.get("component"), fields.get("variable")
    if not isinstance(variable, Mapping):
        return _NOTHING_HIDDEN
    names = [*_names(component if isinstance(component, Mapping) else {}), *_names(variable)]
    secret = is_secret_variable(names[0], names[2], names[1], names[3])
    return _HIDDEN_OF_VARIABLE if secret else _NOTHING_HIDDEN


def _names(fields: Mapping[object, object]) -> tuple[str, str]:
    name, instance = fields.get("name"), fields.get("instance")
    return name if isinstance(name, str) else "", instance if isinstance(instance, str) else ""


def _within(name: object, item: object, hidden: frozenset[str]) -> object:
    """What a member holds, without the secrets that only its own place shows."""
    if name == "variableAttribute" and hidden and isinstance(item, list | tuple):
        return [{**each, "value": MASK} if isinstance(each, Mapping) and "value" in each else each for each in item]
    if name in {"vpn", "apn"} and isinstance(item, Mapping) and "key" in item:  # SetNetworkProfile
        return {**item, "key": MASK}
    return item


_NOTHING_HIDDEN: frozenset[str] = frozenset()
_HIDDEN_VALUE = frozenset({"value"})
_HIDDEN_OF_VARIABLE = frozenset({"attributeValue", "actualValue", "value"})
