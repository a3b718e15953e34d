"""Auto-start: what stands against a start, and that it comes once nothing does any more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.plugins.auto_start_world import HOUR, TAG, World


async def test_a_running_transaction(world: World) -> None:
    await world.start(ago=600)
    await world.report("Preparing")
    await world.report("Preparing", info="again")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []
    assert [line["reason"] for line in world.site.lines] == ["transaction 77 runs"]

    await world.stop(recovered=True)
    assert len(world.site.asked) == 1


async def test_a_transaction_that_waits_for_a_token_stands_against_nothing(world: World) -> None:
    """OCPP 2.0.1 E02: a charger may begin one as the cable is plugged in."""
    world.book(1, transaction_id=77, awaits_token=True)
    await world.report("Preparing")
    assert len(world.site.asked) == 1


async def test_a_transaction_from_the_offline_queue_does_not_serve_the_car_that_came_after(world: World) -> None:
    world.site.answers = [False]
    await world.report("Preparing")
    await world.start(ago=600)
    await world.site.let_pass(5)
    assert len(world.site.asked) == 1

    await world.stop()
    assert len(world.site.asked) == 2


async def test_a_charger_whose_clock_is_at_the_beginning_of_time(world: World) -> None:
    world.site.clock = datetime.min.replace(tzinfo=UTC)
    await world.report("Preparing")
    await world.start()
    await world.site.let_pass(HOUR)

    assert len(world.site.asked) == 1


@pytest.mark.parametrize(
    ("others", "reserved", "reserved_for", "asked"),
    [
        ("Available", 1, "SOMEBODY", 0),
        ("Available", 1, TAG.upper(), 1),
        ("Available", 2, "SOMEBODY", 1),
        ("Available", 0, "SOMEBODY", 1),
        ("Charging", 0, "SOMEBODY", 0),
        ("Charging", 0, TAG.upper(), 1),
    ],
)
async def test_a_reservation(world: World, others: str, reserved: int, reserved_for: str, asked: int) -> None:
    world.book(2, status=others)
    await world.change_reservation(reserved, reserved_for)
    await world.report("Preparing")
    await world.site.let_pass(1)
    assert len(world.site.asked) == asked
    assert len(world.site.named("auto_start_held")) == 1 - asked

    await world.change_reservation(reserved, None)
    assert len(world.site.asked) == 1


@pytest.mark.parametrize("others", [{"inoperative": True}, {"reserved_for": "SOMEBODY"}, {"status": "Faulted"}])
async def test_a_reservation_of_any_connector_needs_one_that_is_free(world: World, others: dict[str, object]) -> None:
    world.book(2, **others)
    await world.change_reservation(0, "SOMEBODY")
    await world.report("Preparing")

    assert world.site.asked == []


@pytest.mark.parametrize("ordered", [0, 1])
async def test_an_inoperative_connector(world: World, ordered: int) -> None:
    world.book(ordered, inoperative=True)
    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []
    assert len(world.site.named("auto_start_held")) == 1

    world.book(ordered, inoperative=False)
    await world.report("Unavailable")
    await world.report("Preparing")
    assert len(world.site.asked) == 1


@pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
async def test_a_fault_of_the_whole_charge_point(world: World, status: str) -> None:
    await world.report(status, 0)
    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.site.asked == []

    await world.report("Available", 0)
    assert len(world.site.asked) == 1


async def test_a_fault_interrupts_the_tries_and_does_not_renew_them(world: World) -> None:
    world.site.answers = [False] * 3
    await world.report("Preparing")
    await world.report("Faulted")
    await world.site.let_pass(100)
    assert world.seconds_asked == [0]

    await world.report("Preparing")
    await world.site.let_pass(HOUR)
    assert world.seconds_asked == [0, 100, 110]
    assert len(world.given_up) == 1
