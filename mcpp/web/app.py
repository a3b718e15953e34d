"""The owner's pages, added to the application that answers the HTTP listener."""

from __future__ import annotations

from fastapi import FastAPI

from mcpp.web import charger, connect, energy, login, overview, people, session, sessions, settings_page, statements
from mcpp.web.rendering import STATIC_PATH, Renderer


def add_pages(app: FastAPI) -> None:
    """Each page has its address; they ask what `/api/v1` asks, the services of the application."""
    renderer = Renderer()
    app.state.renderer = renderer
    first = len(app.router.routes)
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
        app.include_router(router)
    # The overview is asked for more often than all else together, and routes are tried in their order.
    app.router.routes.insert(0, app.router.routes.pop(first))
    app.mount(STATIC_PATH, renderer.static)
