"""Auto-start: charge points that connect, boot, stay away and are forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcpp.ocppj.errors import ConnectionLost
from tests.unit.plugins.auto_start_world import HOUR, World


async def test_nothing_is_asked_before_the_first_accepted_boot(world: World) -> None:
    world.site.states["CP-1"] = replace(world.state, accepted=False)
    await world.connect()
    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []

    await world.boot()
    await world.site.let_pass(3)
    assert len(world.site.asked) == 1


@pytest.mark.parametrize("connects_first", [False, True])
async def test_one_that_was_preparing_before_the_server_started(world: World, connects_first: bool) -> None:
    world.book(1, status="Preparing", session_correlation_id="6" * 32)
    if connects_first:
        await world.plugin.server_started(world.site)
    else:
        world.disconnect()
        await world.plugin.server_started(world.site)
        await world.site.let_pass(10)
        assert world.site.asked == []
        await world.connect()
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked[0] == (3 if connects_first else 13)
    assert world.site.lines[0]["session_correlation_id"] == "6" * 32
    assert len(world.given_up) == 1


async def test_the_evses_of_a_charger_have_plug_ins_of_their_own_that_outlast_a_restart(world: World) -> None:
    """A session at EVSE 1 was stopped by hand; the car at EVSE 2 waits. A restart changes neither."""
    (whole, first, _) = world.state.connectors
    evses = [replace(first, evse_id=evse, connector_id=1) for evse in (1, 2)]
    world.site.states["CP-1"] = replace(world.state, connectors=(whole, *evses))
    await world.report("Charging", evse=1)
    await world.report("Finishing", evse=1)
    await world.report("Preparing", evse=1)
    await world.restart_server()
    await world.connect()
    await world.site.let_pass(10)
    assert world.site.asked == []

    await world.report("Preparing", evse=2)
    await world.site.let_pass(0)
    assert world.site.evses_asked == [2]
    assert world.site.lines[-1]["evse_id"] == 2


async def test_one_that_has_news_after_all_is_not_asked(world: World) -> None:
    world.book(1, status="Preparing")
    await world.connect()
    await world.boot()
    await world.site.let_pass(2)
    await world.report("Available")
    await world.site.let_pass(HOUR)

    assert world.site.asked == []


async def test_tries_wait_for_the_connection(world: World) -> None:
    world.site.answers = [ConnectionLost("the connection ended"), world.accept_and_start]
    await world.report("Preparing")
    world.disconnect()
    await world.site.let_pass(HOUR)
    assert world.seconds_asked == [0]

    await world.connect()
    await world.site.let_pass(HOUR)
    assert world.seconds_asked == [0, HOUR + 3]


async def test_one_that_boots_whenever_it_is_asked_is_given_up(world: World) -> None:
    world.site.answers = [ConnectionLost("the connection ended")] * 100
    await world.report("Preparing")
    for _ in range(10):
        await world.connect()
        await world.boot()
        await world.site.let_pass(600)

    assert len(world.site.asked) == 3
    assert len(world.given_up) == 1


async def test_one_that_reconnects_all_the_time_is_looked_at_once(world: World) -> None:
    world.book(1, status="Preparing")
    for _ in range(100):
        await world.connect()
        await world.site.let_pass(1)
    assert world.site.asked == []

    await world.site.let_pass(3)
    assert len(world.site.asked) == 1


async def test_a_charge_point_that_was_deleted_is_forgotten(world: World) -> None:
    world.site.memory = {"CP-1": [1], "GONE": [1]}
    await world.plugin.server_started(world.site)
    assert world.site.memory == {"CP-1": [1]}

    await world.connect()
    del world.site.states["CP-1"]
    await world.site.let_pass(HOUR)
    assert world.site.asked == []
