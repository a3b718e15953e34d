from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
import pytest_asyncio
import uvloop

from mcpp.transport.connection import Connection
from mcpp.transport.gate import Gate
from mcpp.transport.limits import Limits
from mcpp.transport.tls import ServerTls
from tests.authority import Authority
from tests.integration.transport.support import CentralSystem, Dialect

StartCentralSystem = Callable[..., Awaitable[CentralSystem]]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both event loops that the product runs on: their transports differ."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.SelectorEventLoop}


_ALSO_BY_TLS = ("test_connection", "test_memory", "test_shutdown")
"""Modules whose tests run by TLS, too: all that depends on the transport below."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "authority" in metafunc.fixturenames:
        by_tls = metafunc.module.__name__.rpartition(".")[2] in _ALSO_BY_TLS
        metafunc.parametrize("authority", ["ws", "wss"] if by_tls else ["ws"], indirect=True)


@pytest.fixture
def authority(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Authority | None:
    """That has made the central system's certificate; None where it speaks plain ws."""
    return Authority(tmp_path_factory.mktemp("ca")) if request.param == "wss" else None


@pytest_asyncio.fixture
async def start(authority: Authority | None) -> AsyncIterator[StartCentralSystem]:
    """Starts central systems, with limits and dialects as given, and stops them."""
    started: list[CentralSystem] = []

    async def start_one(
        limits: Limits | None = None,
        *dialects: Dialect,
        tls: ServerTls | None = None,
        path_strict: bool = False,
        gate: Gate[Connection] | None = None,
        compressed: bool = False,
    ) -> CentralSystem:
        limits = limits or Limits(close_timeout=0.5, drain_timeout=0.5, refusal_grid=0.01)
        system = CentralSystem(
            limits, dialects, authority, tls, path_strict=path_strict, gate=gate, compressed=compressed
        )
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
