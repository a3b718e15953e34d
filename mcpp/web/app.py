"""The owner's pages, added to the application that answers the HTTP listener."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from mcpp.web import charger, connect, energy, login, overview, people, session, sessions, settings_page, statements
from mcpp.web.missing import answer_with_page
from mcpp.web.problems import word_by
from mcpp.web.rendering import STATIC_PATH, Renderer


def add_pages(app: FastAPI) -> None:
    """Each page has its address; they ask what `/api/v1` asks, the services of the application."""
    renderer = Renderer()
    app.state.renderer = renderer
    app.state.word = word_by(renderer)
    # The overview is asked for more often than all else together, and routes are tried in their order.
    first, *others = built_pages()
    app.router.routes.insert(0, first)
    app.router.routes.extend(others)
    app.mount(STATIC_PATH, renderer.static)
    answer_with_page(app, renderer)


@cache
def built_pages() -> tuple[BaseRoute, ...]:
    """The pages' routes, built once by a process, as those of the API are."""
    whole = APIRouter()
    for router in (
        overview.router,
        charger.router,
        sessions.router,
        session.router,
        energy.router,
        people.router,
        statements.router,
        settings_page.router,
        connect.router,
        login.router,
    ):
        whole.include_router(router)
    return tuple(whole.routes)
