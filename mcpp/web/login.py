"""`/login`: the page where a token is entered; POST /login takes it (mcpp.api.login)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api.login_ways import HOME, LOGIN
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.states import msgid

router = page_router()

_PROBLEMS: Final = {
    "wrong_token": msgid("There is no such token. Check it for a missing character, or have a new one made."),
    "too_many_failed_logins": msgid("Too many wrong tokens have come from your address. Wait a little and try again."),
    "not_stored": msgid("The log-in couldn’t be stored: the server’s database refuses to write. Its log says why."),
}
"""By their codes, as POST /login has them in the address that it leads back to."""


@router.get(LOGIN)
async def show_login(
    request: Request,
    renderer: FromRenderer,
    next: Annotated[str, Query(max_length=10_000)] = HOME,  # noqa: A002  the address' own word
    problem: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The form; where it leads on is judged when it's sent."""
    said = _PROBLEMS.get(problem)
    text = None if said is None else renderer.texts(renderer.viewer(request)).gettext(said)
    return renderer.page(request, "login.html", {"next": next, "problem": text})
