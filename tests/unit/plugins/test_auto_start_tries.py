"""Auto-start: how often a charge point is asked, when it is given up, and whom the settings mean."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mcpp.ocppj.errors import (
    CallRefused,
    CallTimeout,
    CommandError,
    ConnectionLost,
    InvalidAnswer,
    NotConnected,
    QueueFull,
)
from mcpp.plugins.builtin.auto_start import AutoStart, AutoStartSettings
from tests.unit.plugins.auto_start_world import HOUR, TAG, World


async def test_a_car_that_is_plugged_in_charges(world: World) -> None:
    await world.report("Preparing")
    await world.charge()
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1)]
    [line] = world.site.lines
    assert dict(line) == dict(line) | {
        "event": "auto_start_tried",
        "log_level": "info",
        "category": "transaction",
        "charge_point_id": "CP-1",
        "connector_id": 1,
        "session_correlation_id": "5" * 32,
        "tries": 1,
        "outcome": "accepted",
    }


async def test_a_repeated_status_asks_for_nothing(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    for number in range(10):
        await world.report("Preparing", info=f"repeat {number}")
        await world.site.let_pass(60)

    assert world.site.asked == [(0, 1)]


async def test_a_charger_that_never_says_charging_is_not_asked_again_after_the_stop(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing")
    await world.site.let_pass(60)
    await world.stop()
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1)]


async def test_one_that_rejects_twice_is_asked_three_times_with_growing_delays(world: World) -> None:
    world.site.answers = [False, False, world.accept_and_start]
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == []


async def test_one_that_rejects_always_is_given_up_until_the_next_car(world: World) -> None:
    world.site.answers = [False] * 3
    await world.report("Preparing")
    await world.site.let_pass(15)
    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == ["rejected"]
    assert world.site.lines[-1]["log_level"] == "warning"

    await world.report("Preparing", info="again")
    await world.connect()
    await world.site.let_pass(HOUR)
    assert len(world.site.asked) == 3

    await world.report("Available")
    await world.report("Preparing")
    assert len(world.site.asked) == 4


async def test_one_that_accepts_and_starts_nothing_is_asked_again_and_given_up(world: World) -> None:
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 30, 60]
    assert world.given_up == ["accepted, but no transaction began"]


@pytest.mark.parametrize(
    "error",
    [
        CallRefused("InternalError", "no", {}),
        CallTimeout("no answer within 30 s"),
        ConnectionLost("the connection ended"),
        InvalidAnswer("no status"),
        QueueFull("32 commands wait"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_is_a_try_that_failed(world: World, error: CommandError) -> None:
    world.site.answers = [error] * 3
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == [f"{type(error).__name__}: {error}"]


async def test_what_was_not_sent_is_no_try(world: World) -> None:
    world.site.answers = [NotConnected("CP-1")] * 5
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert len(world.site.asked) == 5 + 3
    assert len(world.given_up) == 1


@pytest.mark.parametrize("by_default", [False, True])
@pytest.mark.parametrize("auto_start", [None, False, True])
async def test_the_charge_points_own_setting_goes_before_the_one_for_all(
    by_default: bool, auto_start: bool | None
) -> None:
    world = World(by_default=by_default, auto_start=auto_start)
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert bool(world.site.asked) is (by_default if auto_start is None else auto_start)
    assert world.site.named("auto_start_held") == []


async def test_each_connector_has_its_own_start(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing", 1)
    await world.report("Preparing", 2)
    await world.charge(2)
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1), (0, 2)]


async def test_the_charge_point_as_a_whole_is_no_connector(world: World) -> None:
    await world.report("Preparing", 0)
    await world.connect()
    await world.site.let_pass(HOUR)

    assert world.site.asked == []


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_AUTO_START_TRIES", "5")
    monkeypatch.setenv("MCPP_PLUGIN_AUTO_START_START_TIMEOUT", "0.5")
    settings = AutoStartSettings()
    assert (settings.tries, settings.retry_delay, settings.start_timeout, settings.settle_time) == (5, 5, 0.5, 3)

    monkeypatch.setenv("MCPP_PLUGIN_AUTO_START_TRIES", "0")
    with pytest.raises(ValidationError, match="tries"):
        AutoStart(by_default=True, id_tag=TAG)
