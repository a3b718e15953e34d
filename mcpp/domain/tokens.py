"""Named tokens of the HTTP API, and the browsers that were logged in with one. Only hashes are stored.

A token is 256 bits from the system's generator, so nobody finds it by trying, and one SHA-256 is enough: salt and a
slow hash, as for passwords, would only make each request slower.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from mcpp.domain.errors import Conflict, Unknown
from mcpp.phrases import Phrase
from mcpp_generated.db.enums import Role
from mcpp_generated.db.models import Token
from mcpp_generated.db.queries import Queries

MOST_TOKENS: Final = 100
MOST_LOGINS: Final = 1000
"""Browsers that are logged in at a time; the one whose time is over first gives way."""

LOGIN_LIFETIME: Final = timedelta(days=30)
"""From the log-in on, whether it is used or not."""

SETTING_NAME: Final = "api-token"
"""What whoever brings the token of that setting is called."""

LOCAL_NAME: Final = "local"
"""What everybody is called where no token is needed."""

_PREFIX: Final = "mcpp_"
"""So that people, and programs that look for leaked secrets, know what it is."""

_LONGEST_NAME: Final = 100


def new_secret() -> str:
    """43 characters of base64url."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """A token, to be shown once."""
    return _PREFIX + new_secret()


def hash_of(secret: str) -> bytes:
    """What is stored of a token, or of what a browser's cookie holds."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()


def mistake_in_name(name: str) -> Phrase | None:
    """What is wrong with the name of a token; None where it is one."""
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        return Phrase("must be 1 to {most} printable characters without a blank at either end", most=_LONGEST_NAME)
    if "/" in name or name in {".", ".."}:
        return Phrase("must have no slash, and be more than dots: it is a part of a path")
    if name.lower() in {SETTING_NAME, LOCAL_NAME}:
        return Phrase("{name} is what the server calls whoever needs no named token; choose another name", name=name)
    return None


def add_token(
    q: Queries, name: str, role: Role, stored_hash: bytes, at: datetime, *, first_may_view: bool = True
) -> Token:
    """Store a new token.

    Unless `first_may_view`, there must be an operator's before there is a viewer's. Raises Conflict.
    """
    known = q.list_tokens()
    if q.find_token(name=name) is not None:
        raise Conflict(
            Phrase("there is a token {name!r} already; choose another name, or revoke that one first", name=name)
        )
    if len(known) >= MOST_TOKENS:
        raise Conflict(
            Phrase("there are {most} tokens already; revoke one that isn't needed any more", most=MOST_TOKENS)
        )
    if role is Role.VIEWER and not first_may_view and not _operators(known):
        raise Conflict(
            Phrase(
                "with this token only, nobody could change anything any more, since requests need a token once there "
                "is one: make an operator token first, or set api-token"
            )
        )
    return q.add_token(name=name, role=role, hash=stored_hash, created_at=at)


def revoke_token(q: Queries, name: str, *, last_may_go: bool = True) -> Token:
    """Forget a token with all that was logged in with it. Raises Unknown.

    Unless `last_may_go`, the last operator token stays, since nobody could change anything without it, or everybody
    could. Raises Conflict.
    """
    token = q.find_token(name=name)
    if token is None:
        raise Unknown(Phrase("there is no token {name!r}", name=name))
    if not last_may_go and token.role is Role.OPERATOR and _operators(q.list_tokens()) == 1:
        raise Conflict(
            Phrase(
                "{name} is the last operator token: make another one before, or set api-token; mcpp token revoke, on "
                "the server's machine, revokes it all the same",
                name=token.name,
            )
        )
    q.delete_token(id=token.id)
    return token


def note_uses(q: Queries, uses: Mapping[int, datetime]) -> None:
    """When tokens were used last, by their keys."""
    for key, at in uses.items():
        q.set_token_used(id=key, last_used_at=at)


def add_login(q: Queries, stored_hash: bytes, token_id: int | None, at: datetime) -> datetime:
    """Note that a browser has logged in, with the setting's token where `token_id` is None. Returns until when.

    Raises Unknown where the token was revoked meanwhile.
    """
    if token_id is not None and q.get_token(id=token_id) is None:
        raise Unknown(Phrase("the token was revoked"))
    q.delete_logins_until(until_at=at)
    expires_at = at + LOGIN_LIFETIME
    q.add_login(hash=stored_hash, token_id=token_id, expires_at=expires_at)
    q.keep_latest_logins(kept=MOST_LOGINS)
    return expires_at


def end_login(q: Queries, stored_hash: bytes) -> None:
    """A browser has logged out."""
    q.delete_login(hash=stored_hash)


def _operators(known: list[Token]) -> int:
    return sum(token.role is Role.OPERATOR for token in known)
