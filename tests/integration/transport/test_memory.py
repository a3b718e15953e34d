"""What a connection used is free when it ends: nothing waits for the garbage collector, which seldom runs."""

from __future__ import annotations

import pytest
from websockets.http11 import Request

from mcpp.ocppj.flow import Flow
from mcpp.ocppj.frames import Call, CallError, CallResult, FrameError
from mcpp.ocppj.session import Session
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.connection import Connection
from mcpp.transport.limits import Limits
from mcpp.transport.websocket import WebSocketProtocol
from tests.garbage import uncollected
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.lives import LIMITS, LIVES, Life

WATCHED = (
    Connection,
    LiveChargePoint,
    WebSocketProtocol,
    Request,
    Session,
    Flow,
    Call,
    CallResult,
    CallError,
    FrameError,
)


@pytest.mark.parametrize("life", LIVES)
async def test_nothing_is_left_of_a_charge_point_that(start: StartCentralSystem, life: Life) -> None:
    with uncollected(*WATCHED) as newcomers:
        system = await start(LIMITS.get(life, Limits(close_timeout=0.5, drain_timeout=0.05)))

        def forget() -> None:
            system.dialect.ask = None
            for memory in (system.dialect.flows, system.recorder.flows, system.recorder.errors, system.finished):
                memory.clear()

        await life(system)
        await newcomers.until_gone(forget)
        assert system.listener.memory.total == 0
