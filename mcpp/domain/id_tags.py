"""The stored id tags: what the operator says of who may charge. Compared without regard to case, kept as written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
    )
    if tag.status is IdTagStatus.ACCEPTED:
        q.forget_unknown_id_tag(id_tag=tag.id_tag)
    return created


def delete(q: Queries, id_tag: str) -> None:
    """Forget an id tag; its transactions stay. Raises Unknown."""
    if not q.delete_id_tag(id_tag=id_tag):
        raise Unknown(f"no id tag {id_tag!r} is stored")
