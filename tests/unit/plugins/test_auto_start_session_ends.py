"""Auto-start: sessions that end while the cable is in."""

from __future__ import annotations

import pytest

from tests.unit.plugins.auto_start_world import HOUR, World


@pytest.mark.parametrize("way_back", ["Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"])
async def test_a_session_that_was_stopped_stays_stopped_until_the_car_is_plugged_in_anew(
    world: World, way_back: str
) -> None:
    await world.connect()
    await world.boot()
    await world.report("Preparing")
    await world.charge()
    await world.stop()
    await world.report(way_back)
    await world.report("Preparing")
    await world.connect()
    await world.site.let_pass(HOUR)
    assert len(world.site.asked) == 1

    await world.restart_server()
    await world.connect()
    await world.site.let_pass(HOUR)
    assert len(world.site.asked) == 1

    await world.report("Available")
    assert world.site.memory == {}
    await world.report("Preparing")
    assert len(world.site.asked) == 2


@pytest.mark.parametrize("reconnects", [False, True])
async def test_what_a_power_cut_ended_goes_on(world: World, reconnects: bool) -> None:
    """The books say Charging, from before; the open transaction is closed when its charger says so, or recovered."""
    await world.report("Preparing")
    await world.charge()
    await world.site.let_pass(600)
    if reconnects:
        world.disconnect()
        await world.connect()
    await world.boot()
    await world.report("Preparing")
    await world.site.let_pass(60)
    assert len(world.site.asked) == 1

    await world.stop(recovered=True)
    assert len(world.site.asked) == 2


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_boot_makes_a_stopped_session_start_again(world: World, restarts: bool) -> None:
    await world.report("Preparing")
    await world.charge()
    await world.stop()
    await world.report("Finishing")
    await world.report("Preparing")
    assert world.site.memory == {"CP-1": [1]}
    if restarts:
        await world.restart_server()
        await world.connect()
    await world.boot()
    assert world.site.memory == {}
    await world.site.let_pass(3)

    assert len(world.site.asked) == 2


async def test_a_car_that_came_while_the_charge_point_was_away_is_served(world: World) -> None:
    await world.report("Preparing")
    await world.charge()
    world.disconnect()
    await world.site.let_pass(HOUR)
    await world.stop()
    await world.connect()
    await world.report("Preparing")

    assert len(world.site.asked) == 2


async def test_a_lost_connection_in_a_session_makes_its_end_no_new_plug_in(world: World) -> None:
    """A charger that goes from Charging straight back to Preparing, its status unchanged since it reconnected."""
    await world.report("Preparing")
    await world.charge()
    await world.connect()
    await world.site.let_pass(HOUR)
    await world.stop()
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert len(world.site.asked) == 1
