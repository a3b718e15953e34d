"""Who may charge (OCPP 1.6 §3.10, §4.1, §7.2, §7.27)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.db.models import IdTag, Transaction
from mcpp_generated.db.queries import Queries


class AuthorizationStatus(StrEnum):
    """The verdict on an id tag (OCPP 1.6 §7.2)."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


@dataclass(frozen=True, slots=True)
class AuthorizationPolicy:
    """How strict a site is."""

    known_only: bool = False
    """An id tag that isn't stored is Invalid rather than Accepted."""
    deny_concurrent: bool = False
    """An id tag with an open transaction gets ConcurrentTx elsewhere."""
    auto_start_id_tag: str | None = None
    """The tag that auto-start presents: known where it starts, without being stored, and never ConcurrentTx."""
    auto_start: bool = False
    """Whether charge points that say nothing else start by themselves."""

    id_tag_separator: str | None = None
    """What chargers put between an id tag and a text of their own, such as their serial number; None: they add none."""

    def bare(self, id_tag: str) -> str:
        """An id tag without what its charger has appended, which is all from the last separator on."""
        if self.id_tag_separator is None:
            return id_tag
        # A tag that begins with its only separator has nothing before it: that is the tag.
        return id_tag.rpartition(self.id_tag_separator)[0] or id_tag

    def is_same_tag(self, id_tag: str, other: str) -> bool:
        """Whether two texts are the same id tag; letter case doesn't matter (OCPP 1.6 §7.28)."""
        return self.bare(id_tag).casefold() == self.bare(other).casefold()

    def is_auto_start(self, id_tag: str) -> bool:
        """Whether auto-start presents this tag."""
        own = self.auto_start_id_tag
        return own is not None and own.casefold() in {id_tag.casefold(), self.bare(id_tag).casefold()}


@dataclass(frozen=True, slots=True)
class Authorization:
    """The verdict, with what the charger may cache of it (OCPP 1.6 §7.27 IdTagInfo)."""

    status: AuthorizationStatus
    expiry_date: datetime | None = None
    parent_id_tag: str | None = None
    stored: bool = field(default=True, compare=False)
    """Whether the database has a word on this tag: that it is stored, or auto-start's. It is no part of the verdict."""


def authorize(
    q: Queries,
    charge_point_key: int,
    id_tag: str,
    now: datetime,
    policy: AuthorizationPolicy,
    token_type: str | None = None,
) -> Authorization:
    """The verdict on an id tag by what is stored of it, presented at a charge point.

    One that is stored as it was presented is that one; else it's looked for without what its charger may have appended.
    Its type counts only where an operator has stored one: some charge points change it from message to message.
    """
    tag = q.get_id_tag(id_tag=id_tag)
    if tag is None and (bare := policy.bare(id_tag)) != id_tag:
        tag = q.get_id_tag(id_tag=bare)
    if tag is not None:
        verdict = verdict_on(tag, now)
        if token_type is None or tag.token_type is None or tag.token_type.casefold() == token_type.casefold():
            return verdict
        return replace(verdict, status=AuthorizationStatus.INVALID)
    if policy.is_auto_start(id_tag) and (not policy.known_only or _starts_itself(q, charge_point_key, policy)):
        return Authorization(AuthorizationStatus.ACCEPTED)
    return Authorization(
        AuthorizationStatus.INVALID if policy.known_only else AuthorizationStatus.ACCEPTED, stored=False
    )


def _starts_itself(q: Queries, charge_point_key: int, policy: AuthorizationPolicy) -> bool:
    """Whether auto-start is on there: elsewhere its tag is one that anybody could present."""
    auto_start = q.get_auto_start(key=charge_point_key)
    return policy.auto_start if auto_start is None else auto_start


def verdict_on(tag: IdTag, now: datetime) -> Authorization:
    """The verdict on a stored id tag. An expiry in the past refuses one that is otherwise accepted."""
    status = AuthorizationStatus(tag.status.value)
    if tag.status is IdTagStatus.ACCEPTED and tag.expiry_date is not None and tag.expiry_date <= now:
        status = AuthorizationStatus.EXPIRED
    return Authorization(status, tag.expiry_date, tag.parent_id_tag)


def authorize_start(
    q: Queries,
    charge_point_key: int,
    id_tag: str,
    now: datetime,
    policy: AuthorizationPolicy,
    token_type: str | None = None,
    *,
    own_transaction_id: int,
) -> Authorization:
    """The verdict on an id tag that started a transaction; only here can it be ConcurrentTx (OCPP 1.6 §7.2)."""
    verdict = authorize(q, charge_point_key, id_tag, now, policy, token_type)
    may_be_concurrent = policy.deny_concurrent and not policy.is_auto_start(id_tag)
    if verdict.status is not AuthorizationStatus.ACCEPTED or not may_be_concurrent:
        return verdict
    if all(other.id == own_transaction_id for other in _open_of(q, id_tag, policy)):
        return verdict
    return replace(verdict, status=AuthorizationStatus.CONCURRENT_TX)


def _open_of(q: Queries, id_tag: str, policy: AuthorizationPolicy) -> list[Transaction]:
    """The transactions that run for an id tag, anywhere, whatever their chargers have appended to it."""
    if policy.id_tag_separator is None:
        return q.find_open_of_id_tag(id_tag=id_tag)
    beginning_alike = q.find_open_of_id_tags_beginning(beginning=policy.bare(id_tag))
    return [other for other in beginning_alike if policy.is_same_tag(other.id_tag, id_tag)]
