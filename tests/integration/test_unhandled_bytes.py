"""What chargers make the server hold is to be seen in the metrics."""

from __future__ import annotations

import asyncio
from pathlib import Path

from websockets.frames import Opcode

from tests.integration.field_notes.site import central_system, until
from tests.integration.transport.support import RawSocket


async def test_half_a_message_is_seen_in_the_metrics_and_gone_with_its_connection(tmp_path: Path) -> None:
    async with central_system(tmp_path) as central:

        async def holds_half_a_message() -> bool:
            return await central.metric("mcpp_unhandled_bytes") >= 50_000

        async def holds_nothing() -> bool:
            return await central.metric("mcpp_unhandled_bytes") == 0

        raw = RawSocket(*await asyncio.open_connection("127.0.0.1", central.ocpp_port))
        await raw.request("/ocpp/CP-1")
        raw.send_frame(Opcode.TEXT, b"x" * 50_000, fin=False)
        await until(holds_half_a_message)
        await raw.close()
        await until(holds_nothing)
