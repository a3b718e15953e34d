from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from mcpp.domain.events import ChargePointOffline, ChargePointOnline
from mcpp.plugins.builtin.offline_alert import OfflineAlert, OfflineAlertSettings
from tests import events
from tests.unit.plugins.site_by_hand import START, SiteByHand, charge_point

AFTER = 300
BACK_AFTER = 60


class Watched:
    """The plugin, and a charge point that comes and goes."""

    def __init__(self) -> None:
        self.site = SiteByHand(charge_point("CP-1", connected=True))
        self.plugin = OfflineAlert(OfflineAlertSettings(after=AFTER, back_after=BACK_AFTER))

    async def restart(self) -> None:
        """The server starts anew."""
        self.site.restart()
        self.plugin = OfflineAlert(OfflineAlertSettings(after=AFTER, back_after=BACK_AFTER))
        await self.plugin.server_started(self.site)

    def leave(self) -> None:
        self.site.states["CP-1"] = charge_point("CP-1")
        event = replace(events.DISCONNECTED, correlation_id="a" * 32, at=self.site.now())
        self.plugin.charge_point_disconnected(event, self.site)

    def come(self) -> None:
        self.site.states["CP-1"] = charge_point("CP-1", connected=True)
        event = replace(events.CONNECTED, correlation_id="b" * 32, at=self.site.now())
        self.plugin.charge_point_connected(event, self.site)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(line["log_level"], line["event"]) for line in self.site.lines]


@pytest.fixture
def watched() -> Watched:
    return Watched()


OFFLINE = ("warning", "charge_point_offline")
ONLINE = ("info", "charge_point_online")


async def test_one_that_stays_away_is_told_of_once_and_only_after_its_time(watched: Watched) -> None:
    watched.leave()
    await watched.site.let_pass(AFTER - 1)
    assert watched.told == []
    await watched.site.let_pass(10 * AFTER)
    assert watched.told == [OFFLINE]
    assert watched.site.lines[0]["gone_seconds"] == AFTER
    [event] = watched.site.published
    assert isinstance(event, ChargePointOffline)
    assert event.charge_point_id == "CP-1"
    assert event.gone_since == START


async def test_its_return_says_how_long_it_was_gone(watched: Watched) -> None:
    watched.leave()
    await watched.site.let_pass(1000)
    watched.come()
    await watched.site.let_pass(BACK_AFTER)
    assert watched.told == [OFFLINE, ONLINE]
    assert watched.site.lines[1]["gone_seconds"] == 1000
    event = watched.site.published[1]
    assert isinstance(event, ChargePointOnline)
    assert event.gone_since == START
    assert event.gone_seconds == 1000


async def test_a_short_absence_is_not_worth_a_word(watched: Watched) -> None:
    watched.leave()
    await watched.site.let_pass(AFTER - 1)
    watched.come()
    await watched.site.let_pass(10 * AFTER)
    assert watched.told == []


async def test_one_that_flaps_in_short_gaps_is_never_told_of(watched: Watched) -> None:
    for _ in range(50):
        watched.leave()
        await watched.site.let_pass(AFTER - 1)
        watched.come()
        await watched.site.let_pass(1)
    assert watched.told == []


async def test_one_that_shows_up_for_moments_only_makes_one_warning_and_one_return(watched: Watched) -> None:
    for _ in range(50):
        watched.leave()
        await watched.site.let_pass(AFTER + 1)
        watched.come()
        await watched.site.let_pass(BACK_AFTER - 1)
    assert watched.told == [OFFLINE]
    await watched.site.let_pass(BACK_AFTER)
    assert watched.told == [OFFLINE, ONLINE]
    assert watched.site.lines[1]["gone_seconds"] == 49 * (AFTER + BACK_AFTER) + AFTER + 1


async def test_after_its_return_it_is_told_of_anew(watched: Watched) -> None:
    for _ in range(2):
        watched.leave()
        await watched.site.let_pass(AFTER)
        watched.come()
        await watched.site.let_pass(BACK_AFTER)
    assert watched.told == [OFFLINE, ONLINE, OFFLINE, ONLINE]


async def test_one_that_does_not_return_when_the_server_does_is_missed() -> None:
    site = SiteByHand(charge_point("AWAY"), charge_point("THERE", connected=True), charge_point("NEW", accepted=False))
    plugin = OfflineAlert(OfflineAlertSettings(after=AFTER))
    await plugin.server_started(site)
    await site.let_pass(AFTER)
    assert [line["charge_point_id"] for line in site.lines] == ["AWAY"]


async def test_what_was_told_before_a_restart_is_not_told_again(watched: Watched) -> None:
    watched.leave()
    await watched.site.let_pass(AFTER)
    await watched.restart()
    await watched.site.let_pass(1000)
    assert watched.told == [OFFLINE]
    watched.come()
    await watched.site.let_pass(BACK_AFTER)
    assert watched.told == [OFFLINE, ONLINE]
    assert watched.site.lines[1]["gone_seconds"] == AFTER + 1000


async def test_a_return_is_told_over_a_restart_once(watched: Watched) -> None:
    watched.leave()
    await watched.site.let_pass(AFTER)
    watched.come()
    for _ in range(3):
        await watched.restart()
        await watched.site.let_pass(BACK_AFTER)
    assert watched.told == [OFFLINE, ONLINE]


async def test_one_that_was_deleted_is_not_missed(watched: Watched) -> None:
    watched.leave()
    del watched.site.states["CP-1"]
    await watched.site.let_pass(AFTER)
    assert watched.told == []


async def test_one_that_was_deleted_is_not_remembered(watched: Watched) -> None:
    watched.leave()
    await watched.site.let_pass(AFTER)
    del watched.site.states["CP-1"]
    await watched.restart()
    assert watched.site.memory == {}


async def test_one_that_is_back_before_the_plugin_heard_of_it_is_not_missed(watched: Watched) -> None:
    watched.leave()
    watched.site.states["CP-1"] = charge_point("CP-1", connected=True)
    await watched.site.let_pass(AFTER)
    watched.come()
    await watched.site.let_pass(AFTER)
    assert watched.told == []


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_OFFLINE_ALERT_AFTER", "900")
    assert OfflineAlertSettings().after == 900
    monkeypatch.setenv("MCPP_PLUGIN_OFFLINE_ALERT_AFTER", "soon")
    with pytest.raises(ValidationError, match="after"):
        OfflineAlert()
