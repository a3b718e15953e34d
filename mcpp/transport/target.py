"""What a handshake request says about who connects: identity from the path, credentials from the header."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit

from mcpp.domain.identities import mistake_in
from mcpp.transport.outcomes import ConnectionOutcome


class BadTarget(Exception):
    """The request's path names no charge point."""

    def __init__(self, status: HTTPStatus, text: str, outcome: ConnectionOutcome) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.outcome = outcome


def path_segments(path: str) -> list[str]:
    """The non-empty segments of a path, percent-decoded; raises UnicodeDecodeError where that isn't UTF-8."""
    return [unquote_to_bytes(segment).decode() for segment in path.split("/") if segment]


def read_identity(target: str, prefix: list[str]) -> str:
    """The charge point's identity (OCPP-J 1.6 §3.1.1) in a request target below the path `prefix`.

    Doubled, missing and trailing slashes, a query and a full URL in the request line are tolerated; the identity is
    the last segment. Raises BadTarget.
    """
    try:
        segments = path_segments(urlsplit(target).path if "://" in target else target.partition("?")[0])
    except ValueError:
        raise _bad_identity("the path is not percent-encoded UTF-8") from None
    if segments[: len(prefix)] != prefix:
        raise BadTarget(
            HTTPStatus.NOT_FOUND, f"charge points connect to /{'/'.join(prefix)}", ConnectionOutcome.BAD_PATH
        )
    if len(segments) == len(prefix):
        raise _bad_identity("the path ends without an identity")
    identity = segments[-1]
    mistake = mistake_in(identity)
    if mistake is not None:
        raise _bad_identity(mistake)
    return identity


def _bad_identity(text: str) -> BadTarget:
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
