"""Routes as the modules declare them, before there is an application to have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, params

Responses = dict[int | str, dict[str, Any]]


class Routes(APIRouter):
    """A router that takes notes of its routes, which `add_routes` builds.

    The framework's own builds each route where it's declared, and again where it's included: a tenth of a start's time.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.declared: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As the framework's; what `@router.get(…)` and the like call."""
        self.declared.append((path, endpoint, options))


def add_routes(
    whole: APIRouter,
    router: APIRouter,
    *,
    prefix: str = "",
    dependencies: Sequence[params.Depends] = (),
    responses: Responses | None = None,
) -> None:
    """Add what a router has to the whole: as `include_router` does, but each route is built only once."""
    if not isinstance(router, Routes):
        whole.include_router(router, prefix=prefix, dependencies=dependencies, responses=responses)
        return
    for path, endpoint, options in router.declared:
        own = {name: option for name, option in options.items() if option is not None}
        whole.add_api_route(
            f"{prefix}{router.prefix}{path}",
            endpoint,
            **own
            | {
                "tags": [*router.tags, *own.get("tags", ())],
                "dependencies": [*dependencies, *router.dependencies, *own.get("dependencies", ())],
                "responses": {**(responses or {}), **router.responses, **own.get("responses", {})},
                "include_in_schema": router.include_in_schema and own.get("include_in_schema", True),
            },
        )
