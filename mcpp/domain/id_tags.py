"""The stored id tags: what the operator says of who may charge. Compared without regard to case, kept as written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.authorization import Authorization, AuthorizationPolicy, authorize
from mcpp.domain.errors import Unknown
from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class StoredTag:
    """An id tag as it is to be stored."""

    id_tag: str
    status: IdTagStatus = IdTagStatus.ACCEPTED
    expiry_date: datetime | None = None
    """May lie in the past."""
    parent_id_tag: str | None = None
    """The group it belongs to (OCPP 1.6 §3.10)."""
    note: str | None = None
    token_type: str | None = None
    """Of what type it has to be presented where a version tells types (OCPP 2.0.1 IdTokenEnumType); None: of any."""


def put(q: Queries, tag: StoredTag) -> bool:
    """Store an id tag or change it. Returns whether it's a new one.

    Once it is accepted it is on the list of unknown and refused cards no more (mcpp.domain.cards).
    """
    created = q.get_id_tag(id_tag=tag.id_tag) is None
    q.put_id_tag(
        id_tag=tag.id_tag,
        status=tag.status,
        expiry_date=tag.expiry_date,
        parent_id_tag=tag.parent_id_tag,
        note=tag.note,
        token_type=tag.token_type,
    )
    if tag.status is IdTagStatus.ACCEPTED:
        q.forget_unknown_id_tag(id_tag=tag.id_tag)
    return created


def contract_spelling(q: Queries, contract_id: str) -> str:
    """A contract id (eMAID) as it's stored, whether written with dashes or without; else without."""
    if q.get_id_tag(id_tag=contract_id) is not None:
        return contract_id
    bare = contract_id.replace("-", "")
    stored = q.find_id_tag_without_dashes(bare=bare)
    return bare if stored is None else stored.id_tag


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token as a charge point presents it (OCPP 2.0.1 IdTokenType)."""

    text: str
    type: str
    is_contract: bool
    """It's the id of a contract, which is the same with dashes and without."""

    def id_tag(self, q: Queries) -> str:
        """As what it's known here."""
        return contract_spelling(q, self.text) if self.is_contract else self.text


def authorize_token(
    q: Queries, charge_point_key: int, token: PresentedToken, now: datetime, policy: AuthorizationPolicy
) -> tuple[str, Authorization]:
    """As what a token is known here, and the verdict on it."""
    id_tag = token.id_tag(q)
    return id_tag, authorize(q, charge_point_key, id_tag, now, policy, token.type)


def delete(q: Queries, id_tag: str) -> None:
    """Forget an id tag; its transactions stay. Raises Unknown."""
    if not q.delete_id_tag(id_tag=id_tag):
        raise Unknown(f"no id tag {id_tag!r} is stored")
