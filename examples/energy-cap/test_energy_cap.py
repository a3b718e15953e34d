"""Hooks are functions: a test calls them with an event and a site of its own."""

import asyncio
from datetime import UTC, datetime
from unittest.mock import AsyncMock, Mock

import pytest
from mcpp_energy_cap import EnergyCap

from mcpp.plugins import MeterValuesReceived, Site

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_a_session_ends_when_it_has_its_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_ENERGY_CAP_WATT_HOURS", "5000")
    plugin = EnergyCap()
    stop = AsyncMock(return_value=True)
    site = Mock(spec=Site, verbs=Mock(remote_stop=stop))

    for energy_wh in (None, 0, 4999):
        asyncio.run(plugin.meter_values_received(meter_values(energy_wh), site))
    stop.assert_not_awaited()

    for energy_wh in (5000, 5100):
        asyncio.run(plugin.meter_values_received(meter_values(energy_wh), site))
    stop.assert_awaited_once_with("CP-1", 7)


def meter_values(energy_wh: int | None) -> MeterValuesReceived:
    return MeterValuesReceived(
        charge_point_id="CP-1",
        correlation_id="c",
        at=NOW,
        connector_id=1,
        transaction_id=7,
        session_correlation_id="s",
        samples=[],
        energy_wh=energy_wh,
    )
