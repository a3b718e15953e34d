"""Hooks are functions: a test calls them with an event and a site of its own."""

import asyncio
from datetime import UTC, datetime
from unittest.mock import AsyncMock, Mock

import pytest
from mcpp_energy_cap import EnergyCap

from mcpp.plugins import MeterValuesReceived, Sample, SampleKind, Site, TransactionStarted

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ENERGY = SampleKind("Energy.Active.Import.Register", "", "Wh", "Sample.Periodic", "Outlet", "Raw")


def test_a_session_ends_when_it_has_its_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_ENERGY_CAP_WATT_HOURS", "5000")
    plugin = EnergyCap()
    plugin.transaction_started(
        TransactionStarted(
            charge_point_id="CP-1",
            correlation_id="c",
            at=NOW,
            transaction_id=7,
            connector_id=1,
            id_tag="T",
            meter_start=1000,
            started_at=NOW,
            session_correlation_id="s",
        )
    )
    stop = AsyncMock(return_value=True)
    site = Mock(spec=Site, verbs=Mock(remote_stop=stop))

    for reading in ("1000", "5999"):
        asyncio.run(plugin.meter_values_received(meter_values(reading), site))
    stop.assert_not_awaited()

    for reading in ("6000", "6100"):
        asyncio.run(plugin.meter_values_received(meter_values(reading), site))
    stop.assert_awaited_once_with("CP-1", 7)


def meter_values(reading: str) -> MeterValuesReceived:
    return MeterValuesReceived(
        charge_point_id="CP-1",
        correlation_id="c",
        at=NOW,
        connector_id=1,
        transaction_id=7,
        session_correlation_id="s",
        samples=[Sample(NOW, ENERGY, reading, 0)],
    )
