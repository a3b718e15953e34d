"""Ends a charging session once it has taken a certain energy."""

import math

from pydantic import Field

from mcpp.plugins import MeterValuesReceived, PluginSettings, Site, TransactionStarted, hookimpl, register_wh


class Settings(PluginSettings, env_prefix="MCPP_PLUGIN_ENERGY_CAP_"):
    watt_hours: int = Field(gt=0)


class EnergyCap:
    def __init__(self) -> None:
        self._cap = Settings().watt_hours
        self._full_at: dict[int, int] = {}

    @hookimpl
    def transaction_started(self, event: TransactionStarted) -> None:
        self._full_at[event.transaction_id] = event.meter_start + self._cap

    @hookimpl
    async def meter_values_received(self, event: MeterValuesReceived, site: Site) -> None:
        transaction_id = event.transaction_id or 0
        readings = [register_wh(sample.kind, sample.value) or 0 for sample in event.samples]
        if max(readings, default=0) >= self._full_at.get(transaction_id, math.inf):
            del self._full_at[transaction_id]
            accepted = await site.verbs.remote_stop(event.charge_point_id, transaction_id)
            site.log.info("energy_cap_reached", transaction_id=transaction_id, accepted=accepted)
