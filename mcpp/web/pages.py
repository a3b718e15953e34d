"""What all pages are given."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from mcpp.web.rendering import Renderer


def page_router() -> APIRouter:
    """For pages, which the OpenAPI document doesn't list."""
    return APIRouter(include_in_schema=False)


async def _of_app(request: Request) -> Renderer:
    return cast("Renderer", request.app.state.renderer)


FromRenderer = Annotated[Renderer, Depends(_of_app)]
