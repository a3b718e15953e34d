"""What a command needs that asks a charge point to start a transaction for a stored id tag."""

from __future__ import annotations

from typing import NamedTuple

from mcpp.domain.allotments import allot
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp_generated.db.queries import Queries


class PreparedStart(NamedTuple):
    """A remote start, as far as it's the central system's to say (OCPP 2.0.1 F01)."""

    remote_start_id: int
    """Of no other one: the charge point's transaction names it."""
    token_type: str | None
    """As what the id tag has to be presented, where an operator says so."""
    is_own: bool
    """The id tag is auto-start's: nobody has such a card."""


def prepare_start(q: Queries, id_tag: str, policy: AuthorizationPolicy) -> PreparedStart:
    """Allot a number to a remote start."""
    stored = q.get_id_tag(id_tag=id_tag)
    token_type = None if stored is None else stored.token_type
    return PreparedStart(allot(q, "remote_start"), token_type, policy.is_auto_start(id_tag))
