"""Authorization (OCPP 2.0.1 part 2, block C): whether a token may charge."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain.authorization import Authorization
from mcpp.domain.id_tags import PresentedToken, authorize_token
from mcpp.ocpp2.contract_certificates import checked, shows_contract
from mcpp.ocpp2.tokens import info_of, is_contract
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import AuthorizeRequest, AuthorizeResponse


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.AUTHORIZE, authorize)


def authorize(
    context: CallContext, request: AuthorizeRequest
) -> Pending[AuthorizeResponse] | Awaitable[AuthorizeResponse]:
    """C01 to C12."""
    token = request.id_token
    presented = PresentedToken(token.id_token, token.type, is_contract=is_contract(token))
    stored = context.read(authorize_token, context.key, presented, context.received_at, context.services.policy)
    answer: Pending[AuthorizeResponse] | Awaitable[AuthorizeResponse]
    if context.services.ask_authorize is not None:
        answer = _ask(context, request, stored)
    else:
        answer = stored.then(partial(_by_the_books, context))
    return checked(context, request, answer) if shows_contract(request) else answer


def _by_the_books(context: CallContext, found: tuple[str, Authorization]) -> AuthorizeResponse:
    id_tag, stored = found
    return _answer(context, id_tag, stored, context.learn(id_tag, stored) or stored)


async def _ask(
    context: CallContext, request: AuthorizeRequest, found: Pending[tuple[str, Authorization]]
) -> AuthorizeResponse:
    id_tag, stored = await found
    verdict = await context.ask_authorize(id_tag, stored, token_type=request.id_token.type)
    return _answer(context, id_tag, stored, verdict)


def _answer(context: CallContext, id_tag: str, stored: Authorization, verdict: Authorization) -> AuthorizeResponse:
    context.presented(id_tag, stored, verdict)
    return AuthorizeResponse(id_token_info=info_of(verdict))
