"""Who asks: what the guard knows of a request's caller, and what only some of them may."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.types import Scope

from mcpp.api.problems import ApiError
from mcpp.phrases import Phrase
from mcpp_generated.db.enums import Role

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Those that change nothing (RFC 9110 §9.2.1); nothing here is changed by one of them."""

_STATE: Final = "caller"


class Caller:
    """Somebody who may ask, by one token or by one browser that is logged in; used on the event loop only."""

    __slots__ = ("_watchers", "is_ended", "name", "role", "token_id")

    def __init__(self, name: str, role: Role, token_id: int | None = None) -> None:
        """`name` is the token's."""
        self.name: Final = name
        self.role: Final = role
        self.token_id: Final = token_id
        """Of a named token."""
        self.is_ended = False
        """The token was revoked, or the browser is logged out: what is still being answered should end."""
        self._watchers: set[Callable[[], None]] = set()

    def end(self) -> None:
        """May ask no more."""
        self.is_ended = True
        for wake in tuple(self._watchers):
            wake()

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called at the end; for answers that last."""
        self._watchers.add(wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Not any more."""
        self._watchers.discard(wake)


def note_caller(scope: Scope, caller: Caller) -> None:
    """For whoever answers the request."""
    scope.setdefault("state", {})[_STATE] = caller


def caller_in(scope: Scope) -> Caller | None:
    """Who asks; None where somebody without a token asks for what is open to all."""
    state: dict[str, Any] = scope.get("state") or {}
    caller: Caller | None = state.get(_STATE)
    return caller


async def _caller_of(request: Request) -> Caller:
    caller = caller_in(request.scope)
    assert caller is not None, "the guard lets nobody pass unknown where a token may be needed"
    return caller


FromCaller = Annotated[Caller, Depends(_caller_of)]


async def _only_operator(caller: FromCaller) -> None:
    if caller.role is not Role.OPERATOR:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "operator_only",
            Phrase("{name} is a viewer, and this holds secrets: ask with an operator token", name=caller.name),
        )


OPERATOR_ONLY: Final = Depends(_only_operator)
"""For a GET that a viewer may not do, since what it answers holds secrets; all else but GET is refused by the guard."""
