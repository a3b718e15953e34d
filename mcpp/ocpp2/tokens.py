"""Tokens and verdicts on them (OCPP 2.0.1 part 2, IdTokenType and IdTokenInfoType), from the wire and back."""

from __future__ import annotations

from typing import Final

from mcpp.domain.authorization import Authorization, AuthorizationStatus
from mcpp_generated.ocpp21.models import AuthorizationStatusEnumType, IdTokenInfoType, IdTokenType

CARD: Final = "ISO14443"
"""What a token is taken for that an operator stored without a type: nearly all cards are."""
CENTRAL: Final = "Central"
"""One that the central system made up."""
CONTRACT: Final = "eMAID"

_STATUSES: Final = {status: AuthorizationStatusEnumType(status.value) for status in AuthorizationStatus}


def is_contract(token: IdTokenType) -> bool:
    """Whether it's the id of a contract, which is the same with dashes and without."""
    return token.type.casefold() == CONTRACT.casefold()


def token_of(id_tag: str, token_type: str | None) -> IdTokenType:
    """A stored id tag as a token."""
    return IdTokenType(id_token=id_tag, type=token_type or CARD)


def info_of(verdict: Authorization) -> IdTokenInfoType:
    """A verdict, with what may be cached of it."""
    status = _STATUSES[verdict.status]
    if verdict.status is AuthorizationStatus.INVALID and not verdict.stored:
        status = AuthorizationStatusEnumType.UNKNOWN
    group = verdict.parent_id_tag
    return IdTokenInfoType(
        status=status,
        cache_expiry_date_time=verdict.expiry_date,
        group_id_token=None if group is None else IdTokenType(id_token=group, type=CENTRAL),
    )
