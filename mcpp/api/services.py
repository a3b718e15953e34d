"""What the HTTP side is built from; the composition root provides it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from mcpp.commands import Commands
from mcpp.domain.stamps import StampBook
from mcpp.ocppj.live import LiveChargePoints
from mcpp.storage.database import Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    """The parts of the server that requests are answered from."""

    readers: Readers
    live: LiveChargePoints
    commands: Commands
    stamps: StampBook
    """Stamps fresher than the database's."""
    check_readiness: Callable[[], Awaitable[Mapping[str, str]]]
    """Each check's name with `ok` or what is wrong."""
    render_metrics: Callable[[str], tuple[str, bytes]]
    """Content type and text of a scrape, by the Accept header."""


async def _of_app(request: Request) -> ApiServices:
    return cast("ApiServices", request.app.state.services)


FromServices = Annotated[ApiServices, Depends(_of_app)]
