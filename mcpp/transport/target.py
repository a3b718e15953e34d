"""What a handshake request says about who connects: identity from the path, credentials from the header."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from mcpp.bounds import CONNECTION_PATH, cut
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.identities import mistake_in
from mcpp.phrases import Phrase
from mcpp.redaction import redact_text

SERVICE_WORDS: Final = frozenset(
    {
        "centralsystem",
        "centralsystemservice",
        "chargepointservice",
        "csms",
        "json",
        "ocppj",
        "services",
        "socket",
        "steve",
        "webservice",
        "webservices",
        "websocket",
        "websockets",
        "ws",
        "wss",
    }
)
"""How the paths of other central systems end in front of the identity, in lower case: SteVe's
`/steve/websocket/CentralSystemService/`, and `/ws/`, `/webServices/ocpp/`, `/services/ocppj/`, `/ocpp1.6/` of others.
docs/admission.md lists them."""

_OCPP_WORD: Final = re.compile(r"ocpp[-_]?j?[-_]?(?:v?[12][._]?[0-9](?:[._]?[0-9])?)?[-_]?j?(?:son)?")
"""The protocol's name as a path has it: `ocpp`, `ocpp16`, `ocpp1.6`, `ocpp1.6j`, `ocpp2.0.1`."""


class BadTarget(Exception):
    """The request's path names no charge point."""

    def __init__(self, status: HTTPStatus, text: Phrase, outcome: ConnectionOutcome) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.outcome = outcome


class Target(NamedTuple):
    """What a path says."""

    identity: str
    is_elsewhere: bool
    """Whether it's another product's path, not below ours."""


def path_segments(path: str) -> list[str]:
    """The non-empty segments of a path, percent-decoded; raises UnicodeDecodeError where that isn't UTF-8."""
    return [unquote_to_bytes(segment).decode() for segment in path.split("/") if segment]


def read_target(target: str, prefix: Sequence[str], *, is_strict: bool) -> Target:
    """The charge point's identity (OCPP-J 1.6 §3.1.1) in a request target: the last segment of its path.

    Doubled, missing and trailing slashes, a query and a full URL in the request line are tolerated. Where `is_strict`,
    only paths below `prefix` are; else any is, and a last segment that is a word of a service, not an identity, is
    refused: the charge point was set to a URL to which it appends nothing. Raises BadTarget.
    """
    try:
        segments = path_segments(_path_of(target))
    except ValueError:
        raise _bad_identity(Phrase("the path is not percent-encoded UTF-8")) from None
    below = segments[: len(prefix)] == list(prefix)
    if not below and is_strict:
        text = Phrase("charge points connect to {path}", path=_shown(prefix))
        raise BadTarget(HTTPStatus.NOT_FOUND, text, ConnectionOutcome.BAD_PATH)
    if not segments or segments == list(prefix):
        raise _without_identity(prefix)
    identity = segments[-1]
    if not is_strict and (_is_service_word(identity) or (not below and _is_one_of(identity, prefix))):
        raise _without_identity(prefix, identity)
    mistake = mistake_in(identity)
    if mistake is not None:
        raise _bad_identity(mistake)
    return Target(identity, not below)


def shown_path(target: str) -> str:
    """The path of a request target as people get to see it: cut, without query, credentials and secrets."""
    path = _path_of(target[: 4 * CONNECTION_PATH])
    text = path.encode(errors="surrogateescape").decode(errors="replace")
    return cut("/".join(map(_masked, text.split("/"))), CONNECTION_PATH)


def _masked(segment: str) -> str:
    """A segment as it was sent, unless there is a secret in it, however it's spelled."""
    plain = unquote_to_bytes(segment).decode(errors="replace")
    masked = redact_text(plain)
    return segment if masked == plain else masked


def _path_of(target: str) -> str:
    if "://" in target.partition("?")[0]:
        try:
            return urlsplit(target).path
        except ValueError:  # such as a host in a broken bracket
            return ""
    return target.partition("?")[0].partition("#")[0]


def _is_service_word(segment: str) -> bool:
    lowered = segment.lower()
    return lowered in SERVICE_WORDS or _OCPP_WORD.fullmatch(lowered) is not None


def _is_one_of(segment: str, prefix: Sequence[str]) -> bool:
    return segment.lower() in {part.lower() for part in prefix}


def _shown(prefix: Sequence[str]) -> str:
    return f"/{'/'.join(prefix)}"


def _without_identity(prefix: Sequence[str], word: str = "") -> BadTarget:
    base = f"{_shown(prefix)}/" if prefix else "/"
    if not word:
        return _bad_identity(
            Phrase("the path ends without an identity; charge points connect to {base}IDENTITY", base=base)
        )
    return _bad_identity(
        Phrase(
            "the path ends without an identity: {word} is a word of a service; charge points connect to {base}IDENTITY",
            word=word,
            base=base,
        )
    )


def _bad_identity(text: Phrase) -> BadTarget:
    return BadTarget(HTTPStatus.BAD_REQUEST, text, ConnectionOutcome.BAD_IDENTITY)


def read_basic_credentials(headers: list[str]) -> tuple[str, bytes] | None:
    """User and password of the Authorization header (RFC 7617); None unless there is just one that can be read."""
    scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return None
    try:
        # RFC 7617 §2: the user has no colon, the password may have some.
        user, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user.decode(errors="replace"), password) if colon else None
