"""`/tokens`: named tokens, of operators and of viewers."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import Response

from mcpp.api.bodies import Body
from mcpp.api.callers import OPERATOR_ONLY, FromCaller
from mcpp.api.problems import documented
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain.tokens import mistake_in_name
from mcpp.phrases.mistakes import not_valid
from mcpp.reads.paging import FormatQuery
from mcpp.reads.times import Time
from mcpp_generated.db.enums import Role
from mcpp_generated.db.models import Token as StoredToken

router = Routes(prefix="/tokens", tags=["access"])


def _name(text: str) -> str:
    mistake = mistake_in_name(text)
    if mistake is not None:
        raise not_valid("token_name", mistake)
    return text


class WantedToken(Body):
    """A token to be made."""

    name: Annotated[str, AfterValidator(_name)] = Field(
        description="Who or what will use it; 1 to 100 characters, compared without regard to case.",
        examples=["phone of the caretaker"],
    )
    role: Role = Field(description="A viewer may look at what holds no secrets, and change nothing.")


class Token(BaseModel):
    """A named token, without the token itself: only its hash is stored."""

    name: str
    role: Role
    created_at: Time
    last_used_at: Time | None = Field(description="Its last use, by a log-in as well; null: none yet.")


class NewToken(Token):
    """A token that was just made."""

    token: str = Field(description="Shown this once.", examples=["mcpp_…"])


class TokenList(BaseModel):
    """All named tokens."""

    items: list[Token]


@router.get("", response_model=TokenList, dependencies=[OPERATOR_ONLY], responses=AS_TABLE)
async def list_tokens(
    services: FromServices, tables: FromTables, query: Annotated[FormatQuery, Query()]
) -> dict[str, Sequence[StoredToken]] | Response:
    """All named tokens, the oldest first; the setting api-token isn't one of them."""
    return tables.answer_whole(query, Token, services.credentials.known.known())


@router.post(
    "",
    response_model=NewToken,
    status_code=HTTPStatus.CREATED,
    responses=documented(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def add_token(services: FromServices, wanted: WantedToken, caller: FromCaller) -> dict[str, object]:
    """Make a token. Keep it: it is shown this once.

    From the first one on, every request needs a token, on loopback, too; so that one must be an operator's unless
    there is an api-token.
    """
    made = await services.credentials.add(wanted.name, wanted.role, caller)
    return {**made.row._asdict(), "token": made.text}


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def revoke_token(
    services: FromServices, name: Annotated[str, Path(min_length=1, max_length=100)], caller: FromCaller
) -> None:
    """End a token at once, with the event streams that it has open and the browsers that it logged in.

    Without an api-token, the last operator token stays.
    """
    await services.credentials.revoke(name, caller)
