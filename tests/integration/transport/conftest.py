from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
import pytest_asyncio
import uvloop

from mcpp.transport.limits import Limits
from tests.integration.transport.support import CentralSystem, Dialect

StartCentralSystem = Callable[..., Awaitable[CentralSystem]]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both event loops that the product runs on: their transports differ."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.SelectorEventLoop}


@pytest_asyncio.fixture
async def start() -> AsyncIterator[StartCentralSystem]:
    """Starts central systems, with limits and dialects as given, and stops them."""
    started: list[CentralSystem] = []

    async def start_one(limits: Limits | None = None, *dialects: Dialect) -> CentralSystem:
        system = CentralSystem(limits or Limits(close_timeout=0.5, drain_timeout=0.5), dialects)
        await system.start()
        started.append(system)
        return system

    yield start_one
    for system in started:
        await system.listener.stop()


@pytest_asyncio.fixture
async def system(start: StartCentralSystem) -> CentralSystem:
    """A central system with the default limits, but quick to end."""
    return await start()
