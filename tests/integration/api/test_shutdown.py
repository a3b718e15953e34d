"""What becomes of a command whose charger hasn't answered when the server stops."""

from __future__ import annotations

import asyncio

from tests.integration.api.support import Site


async def test_a_command_without_an_answer_is_told_that_the_server_stops(api: Site) -> None:
    api.books.charge_point("CP-1")
    api.connections.identities.add("CP-1")
    command = asyncio.create_task(api.http.post("/api/v1/charge-points/CP-1/commands/ClearCache"))
    await asyncio.wait_for(api.connections.asked.wait(), 10)

    api.services.stop()
    response = await asyncio.wait_for(command, 10)

    assert (response.status_code, response.json()["code"]) == (503, "shutting_down")
